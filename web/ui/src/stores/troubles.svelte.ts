/** What could not be read or indexed, page by page, and the way to try it again. */
import { Newest } from '../api/newest';
import { refusalOf } from '../api/problem';
import type { Trouble } from '../api/types';
import { workApi } from '../api/work';

const PAGE = 50;

export class Troubles {
  list = $state.raw<Trouble[]>([]);
  refusal = $state('');
  #cursor = $state<string | null>(null);
  #newest = new Newest();

  get more(): boolean {
    return this.#cursor !== null;
  }

  /** From the beginning, as many as were seen: what was retried is gone from it. */
  async load(): Promise<void> {
    await this.#read(null, Math.max(PAGE, Math.min(this.list.length, 200)));
  }

  async next(): Promise<void> {
    if (this.#cursor !== null) await this.#read(this.#cursor, PAGE);
  }

  /** A page that was asked for twice would be shown twice. */
  async #read(cursor: string | null, limit: number): Promise<void> {
    const signal = this.#newest.begin();
    try {
      const page = await workApi.troubles(limit, cursor);
      if (signal.aborted) return;
      this.list = cursor === null ? page.failed : [...this.list, ...page.failed];
      this.#cursor = page.next_cursor;
      this.refusal = '';
    } catch (error) {
      const refusal = refusalOf(error);
      if (!signal.aborted) this.refusal = refusal;
    }
  }
}
