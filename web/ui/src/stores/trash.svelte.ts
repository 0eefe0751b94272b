/** What lies in the trash. */
import { fetchLayout } from '../api/assets';
import { Problem } from '../api/problem';
import { restoreAssets, undoChange } from '../api/trash';
import { AssetList } from './layout.svelte';

/** More in one request would be refused: the rest follows in the next. */
const MOST_AT_ONCE = 50_000;

class Trash {
  /** null until the server has answered once. */
  list = $state.raw<AssetList | null>(null);
  problem = $state.raw<Problem | null>(null);

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

  /** How many came back, and what puts them into the trash again. Raises `Problem`. */
  async restore(ids: string[]): Promise<{ changed: number; undo: () => Promise<void> }> {
    let changed = 0;
    const undos: string[] = [];
    for (let i = 0; i < ids.length; i += MOST_AT_ONCE) {
      const done = await restoreAssets(ids.slice(i, i + MOST_AT_ONCE));
      changed += done.changed;
      if (done.undo) undos.push(done.undo);
    }
    await this.load();
    return {
      changed,
      undo: async () => {
        for (const word of undos) await undoChange(word);
        await this.load();
      },
    };
  }

  /** All that is in it. Raises `Problem`. */
  restoreAll(): ReturnType<Trash['restore']> {
    const { list } = this;
    return this.restore(list ? Array.from({ length: list.count }, (_, i) => list.id(i)) : []);
  }
}

export const trash = new Trash();
