/** The folders that are watched. */
import { librariesApi } from '../api/libraries';
import { Problem } from '../api/problem';
import type { Library } from '../api/types';

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

  /** Raises `Problem` when the server refuses the folder. */
  async add(path: string): Promise<void> {
    const added = await librariesApi.add(path);
    this.list = [...(this.list ?? []), added];
  }
}

export const libraries = new Libraries();
