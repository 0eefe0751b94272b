/** The folders that are watched. */
import { librariesApi } from '../api/libraries';
import { Problem } from '../api/problem';
import type { Library } from '../api/types';

/** Counting the files of large libraries costs the server more than a person gains by it. */
const REFRESH_MS = 3000;

class Libraries {
  /** null until the server has answered once. */
  list = $state.raw<Library[] | null>(null);
  #refresh: ReturnType<typeof setTimeout> | undefined;

  async load(): Promise<void> {
    try {
      this.list = await librariesApi.list();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
  }

  /** While files are found: often enough to see the counts grow. */
  refreshSoon(): void {
    this.#refresh ??= setTimeout(() => {
      this.#refresh = undefined;
      void this.load();
    }, REFRESH_MS);
  }

  /** Raises `Problem` when the server refuses the folder. */
  async add(path: string): Promise<void> {
    const added = await librariesApi.add(path);
    this.list = [...(this.list ?? []), added];
  }

  /** Raises `Problem`, for example when another library has that name. */
  async change(id: string, changes: Parameters<typeof librariesApi.change>[1]): Promise<void> {
    const changed = await librariesApi.change(id, changes);
    this.list = (this.list ?? []).map((each) => (each.id === id ? changed : each));
  }
}

export const libraries = new Libraries();
