/** What tiles show of assets: fetched a window at a time, kept while there is room. */
import { fetchCards, MOST_CARDS } from '../api/assets';
import { Problem } from '../api/problem';
import type { AssetCard } from '../api/types';

/** About 1 kB each: enough for many screens in both directions. */
const MOST_KEPT = 6000;
/** While a person flings through years, what is gone before this is never asked for. */
const SETTLE_MS = 60;
/** More would queue up in the browser before the pictures themselves. */
const MOST_REQUESTS = 2;
/** Cards that are shown in one frame: a window of them at once would make the scrolling stutter. */
const SHOWN_PER_FRAME = 6;
/** After a failure, before what is still wanted is asked for again. */
const RETRY_MS = 3000;

class Cards {
  #kept = new Map<string, AssetCard>();
  /** Counts arrivals. One signal for all: what is shown is few, and a lookup is cheap. */
  #arrivals = $state(0);
  #wanted: readonly string[] = [];
  /** The number of the newest request for each that is on its way. */
  #asked = new Map<string, number>();
  #last = 0;
  #requests = 0;
  #unpacked: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;

  get(id: string): AssetCard | undefined {
    void this.#arrivals;
    return this.#kept.get(id);
  }

  /** These are shown now, the most urgent first; what was wanted before and is not here any more is dropped. */
  want(ids: readonly string[]): void {
    this.#wanted = ids;
    if (ids.some((id) => !this.#kept.has(id))) this.#soon(SETTLE_MS);
  }

  put(cards: readonly AssetCard[]): void {
    if (!cards.length) return;
    for (const card of cards) {
      this.#kept.delete(card.id);
      this.#kept.set(card.id, card);
    }
    this.#makeRoom();
    this.#arrivals += 1;
  }

  /** Something about them has changed: they are shown as they were until the answer comes. */
  refresh(ids: readonly string[]): void {
    const shown = new Set(this.#wanted);
    for (const id of ids) if (!shown.has(id)) this.#kept.delete(id);
    const stale = ids.filter((id) => shown.has(id));
    for (let i = 0; i < stale.length; i += MOST_CARDS)
      void this.#ask(stale.slice(i, i + MOST_CARDS));
  }

  /** Looks again at those that are shown and that indexers have yet to look at. */
  refreshPending(): void {
    this.refresh(this.#wanted.filter((id) => this.#kept.get(id)?.pending));
  }

  #soon(delay_ms: number): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#fill();
    }, delay_ms);
  }

  #fill(): void {
    while (this.#requests < MOST_REQUESTS) {
      const missing = this.#wanted.filter((id) => !this.#kept.has(id) && !this.#asked.has(id));
      if (!missing.length) return;
      void this.#ask(missing.slice(0, MOST_CARDS));
    }
  }

  async #ask(ids: string[]): Promise<void> {
    const number = ++this.#last;
    this.#requests += 1;
    for (const id of ids) this.#asked.set(id, number);
    try {
      await this.#unpack(await fetchCards(ids), number);
      this.#soon(0);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      // The banner says that the server is away; tiles keep their place until it is back.
      this.#soon(RETRY_MS);
    } finally {
      this.#requests -= 1;
      for (const id of ids) if (this.#asked.get(id) === number) this.#asked.delete(id);
    }
  }

  /** A few in each frame, one answer after the other. What was asked for anew since is left to that answer. */
  #unpack(found: AssetCard[], number: number): Promise<void> {
    this.#unpacked = this.#unpacked.then(async () => {
      for (let i = 0; i < found.length; i += SHOWN_PER_FRAME) {
        if (!document.hidden) await new Promise(requestAnimationFrame);
        const some = found.slice(i, i + SHOWN_PER_FRAME);
        this.put(some.filter(({ id }) => this.#asked.get(id) === number));
      }
    });
    return this.#unpacked;
  }

  #makeRoom(): void {
    const shown = new Set(this.#wanted);
    for (const id of this.#kept.keys()) {
      if (this.#kept.size <= MOST_KEPT) return;
      if (!shown.has(id)) this.#kept.delete(id);
    }
  }
}

export const cards = new Cards();
