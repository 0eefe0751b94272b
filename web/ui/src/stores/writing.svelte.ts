/** What can be read in the asset that is open, and whether it is marked in the picture. */
import { Problem } from '../api/problem';
import type { AssetDetail, WrittenLine } from '../api/types';
import { readWriting } from '../api/writing';
import { keep, kept } from '../kept';

const SHOWN = 'dam.writing';

class Writing {
  #lines = $state.raw<WrittenLine[]>([]);
  /** The asset whose lines these are, and how many it had: more are found while work goes on. */
  #of = $state('');
  shown = $state(kept(SHOWN) === 'shown');

  of(asset: AssetDetail): WrittenLine[] {
    return this.#of === key(asset) ? this.#lines : [];
  }

  toggle(): void {
    this.shown = !this.shown;
    keep(SHOWN, this.shown ? 'shown' : 'hidden');
  }

  /** Once for an asset. Quietly: without its words a picture can still be seen. */
  async load(asset: AssetDetail): Promise<void> {
    const wanted = key(asset);
    if (this.#of === wanted) return;
    this.#of = wanted;
    this.#lines = [];
    if (!asset.written_lines) return;
    try {
      const lines = await readWriting(asset.card.id);
      if (this.#of === wanted) this.#lines = lines;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
  }
}

const key = ({ card, written_lines }: AssetDetail): string => `${card.id} ${written_lines}`;

export const writing = new Writing();
