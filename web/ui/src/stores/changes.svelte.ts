/** What a person changes about assets in a list: done at once, said, and undone on request. */
import { changeAssets, MOST_CHANGED, undoChange, type AssetChange } from '../api/assets';
import { Problem } from '../api/problem';
import { cards } from './cards.svelte';
import { toasts } from './toasts.svelte';

class Changes {
  /** Counts what was changed or taken back: lists look again when it grows. */
  made = $state(0);
  /** A change is on its way. */
  busy = $state(false);

  /** `said(n)`: what was done, of the number of assets that it changed. False when it was refused. */
  async make(
    ids: string[],
    change: AssetChange,
    said: (changed: number) => string,
  ): Promise<boolean> {
    return this.#run(ids, async () => {
      const undos: string[] = [];
      let sum = 0;
      for (let i = 0; i < ids.length; i += MOST_CHANGED) {
        const { changed, undo } = await changeAssets(ids.slice(i, i + MOST_CHANGED), change);
        sum += changed;
        undos.unshift(undo);
      }
      toasts.say(said(sum), { undo: sum ? () => this.#undo(ids, undos) : null });
    });
  }

  /** Any other change that answers with the way back. `ids`: assets whose cards may be different then. */
  async apply(
    change: () => Promise<{ changed: number; undo: string }>,
    said: (changed: number) => string,
    ids: string[] = [],
  ): Promise<boolean> {
    return this.#run(ids, async () => {
      const { changed, undo } = await change();
      toasts.say(said(changed), { undo: undo ? () => this.#undo(ids, [undo]) : null });
    });
  }

  async #undo(ids: string[], undos: string[]): Promise<void> {
    await this.#run(ids, async () => {
      for (const undo of undos) await undoChange(undo);
      toasts.say('Taken back');
    });
  }

  async #run(ids: string[], change: () => Promise<void>): Promise<boolean> {
    this.busy = true;
    try {
      await change();
      cards.refresh(ids);
      this.made += 1;
      return true;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      toasts.say(error.message);
      return false;
    } finally {
      this.busy = false;
    }
  }
}

export const changes = new Changes();
