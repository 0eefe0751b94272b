/** What lies in the trash. */
import { fetchLayout } from '../api/assets';
import { Newest } from '../api/newest';
import { Problem } from '../api/problem';
import { AssetList } from './layout.svelte';

class Trash {
  /** null until the server has answered once. */
  list = $state.raw<AssetList | null>(null);
  problem = $state.raw<Problem | null>(null);
  #newest = new Newest();

  /** The ids of all that is in it. */
  get ids(): string[] {
    const { list } = this;
    return list ? Array.from({ length: list.count }, (_, i) => list.id(i)) : [];
  }

  async load(): Promise<void> {
    const signal = this.#newest.begin();
    try {
      const found = await fetchLayout({}, true, signal);
      if (signal.aborted) return;
      if (found.version !== this.list?.version)
        this.list = new AssetList(found.ids, found.aspects, found.days, found.version);
      this.problem = null;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
      this.problem = error;
    }
  }
}

export const trash = new Trash();
