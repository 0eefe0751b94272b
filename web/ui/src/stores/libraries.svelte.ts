/** The folders that are watched. */
import { librariesApi } from '../api/libraries';
import { Polling } from '../api/polling';
import { Problem } from '../api/problem';
import type { Library } from '../api/types';

/** Counting the files of large libraries costs the server more than a person gains by it. */
const REFRESH_MS = 3000;

class Libraries {
  /** null until the server has answered once. */
  list = $state.raw<Library[] | null>(null);

  #polling = new Polling(
    (signal) => this.#ask(signal),
    () => REFRESH_MS,
  );

  async load(): Promise<void> {
    await this.#polling.now();
  }

  /** Asks until the page that shows them is left: disks come and go, scans end. */
  follow(): () => void {
    return this.#polling.follow();
  }

  /** Raises `Problem` when the server refuses the folder. */
  async add(path: string): Promise<void> {
    const added = await librariesApi.add(path);
    this.list = [...(this.list ?? []), added];
    void this.load(); // an answer that is on its way may not know of it
  }

  /** Raises `Problem`, for example when another library has that name. */
  async change(id: string, changes: Parameters<typeof librariesApi.change>[1]): Promise<void> {
    const changed = await librariesApi.change(id, changes);
    this.list = (this.list ?? []).map((each) => (each.id === id ? changed : each));
    void this.load();
  }

  async #ask(signal: AbortSignal): Promise<void> {
    try {
      const list = await librariesApi.list();
      if (!signal.aborted) this.list = list;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
  }
}

export const libraries = new Libraries();
