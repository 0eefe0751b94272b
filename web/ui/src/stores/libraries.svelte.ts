/** The folders that are watched. */
import { librariesApi } from '../api/libraries';
import { Problem } from '../api/problem';
import type { Library } from '../api/types';

/** Counting the files of large libraries costs the server more than a person gains by it. */
const REFRESH_MS = 3000;

class Libraries {
  /** null until the server has answered once. */
  list = $state.raw<Library[] | null>(null);

  async load(): Promise<void> {
    try {
      this.list = await librariesApi.list();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
  }

  /** Asks until the page that shows them is left: disks come and go, scans end. */
  follow(): () => void {
    void this.load();
    const timer = setInterval(() => void this.load(), REFRESH_MS);
    return () => clearInterval(timer);
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
