/** What lies in the trash. */
import { fetchLayout } from '../api/assets';
import { Problem } from '../api/problem';
import { AssetList } from './layout.svelte';

class Trash {
  /** null until the server has answered once. */
  list = $state.raw<AssetList | null>(null);
  problem = $state.raw<Problem | null>(null);

  /** The ids of all that is in it. */
  get ids(): string[] {
    const { list } = this;
    return list ? Array.from({ length: list.count }, (_, i) => list.id(i)) : [];
  }

  async load(): Promise<void> {
    try {
      const found = await fetchLayout({}, true, new AbortController().signal);
      if (found.version !== this.list?.version)
        this.list = new AssetList(found.ids, found.aspects, found.days, found.version);
      this.problem = null;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.problem = error;
    }
  }
}

export const trash = new Trash();
