/** The tags page: every tag in use, and the assets of the one that is looked through. */
import { Newest } from '../api/newest';
import { Problem } from '../api/problem';
import {
  fetchReview,
  fetchTags,
  type ReviewItem,
  type WordState,
  type WordSummary,
} from '../api/tags';
import { cards } from './cards.svelte';

/** One page: from the beginning, or after a cursor. */
type Ask<T> = (
  cursor: string | null,
  signal: AbortSignal,
) => Promise<{ items: T[]; total: number; next_cursor: string | null }>;

/** A list that comes page by page. */
class Paged<T> {
  /** null until the server has answered once. */
  list = $state.raw<T[] | null>(null);
  total = $state(0);
  problem = $state.raw<Problem | null>(null);
  #cursor: string | null = null;
  #newest = new Newest();
  #ask: Ask<T>;

  constructor(ask: Ask<T>) {
    this.#ask = ask;
  }

  get more(): boolean {
    return this.list !== null && this.#cursor !== null;
  }

  /** From the beginning; what is shown stays until the answer is there. */
  load(): Promise<void> {
    return this.#fetch(null, []);
  }

  loadMore(): Promise<void> {
    return this.#fetch(this.#cursor, this.list ?? []);
  }

  forget(): void {
    this.#newest.begin();
    this.list = null;
    this.total = 0;
    this.problem = null;
    this.#cursor = null;
  }

  /** Takes entries away at once: the next answer will not have them either. */
  drop(isGone: (one: T) => boolean): void {
    const kept = (this.list ?? []).filter((one) => !isGone(one));
    this.total -= (this.list?.length ?? 0) - kept.length;
    this.list = kept;
  }

  async #fetch(cursor: string | null, before: T[]): Promise<void> {
    const signal = this.#newest.begin();
    try {
      const page = await this.#ask(cursor, signal);
      if (signal.aborted) return;
      this.list = [...before, ...page.items];
      this.total = page.total;
      this.#cursor = page.next_cursor;
      this.problem = null;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
      this.problem = error;
    }
  }
}

class Words {
  typed = $state('');
  pages = new Paged<WordSummary>(async (cursor, signal) => {
    const { tags, ...rest } = await fetchTags(this.typed.trim(), cursor, signal);
    return { items: tags, ...rest };
  });
}

class Review {
  word = $state('');
  state = $state<WordState>('suggested');
  pages = new Paged<ReviewItem>(async (cursor, signal) => {
    const page = await fetchReview(this.word, this.state, cursor, signal);
    cards.put(page.items.map(({ asset }) => asset));
    return page;
  });

  show(word: string, state: WordState): void {
    if (word !== this.word || state !== this.state) this.pages.forget();
    this.word = word;
    this.state = state;
    void this.pages.load();
  }
}

export const words = new Words();
export const review = new Review();
