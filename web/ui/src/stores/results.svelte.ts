/** What the grid shows: the newest assets, or the hits of a search with their cards. */
import { api } from '../api/client';
import type { Filters } from '../api/filters';
import { isWeak } from '../confidence';
import { Problem } from '../api/problem';
import type { AssetCard, Hit, Results, Waiting } from '../api/types';

const HITS = 60;
const PAGE = 100;
/** Weak hits are folded away only after so many: the scores are no measure of what a person meant. */
const LEAST_SHOWN = 12;

export interface Tile {
  card: AssetCard;
  /** Why and where it matched; null when it is merely listed. */
  hit: Hit | null;
}

export interface Question {
  text: string;
  like: string | null;
  filters: Filters;
}

class ResultList {
  #found = $state.raw<Tile[]>([]);
  /** True once a person asked to see the weak matches too. */
  unfolded = $state(false);
  #good = $derived(this.#found.filter(({ hit }) => hit && !isWeak(hit)).length);
  #isSearch = $derived(this.#found.some(({ hit }) => hit));
  /** How many weak hits are not shown. Hits come best first, so they are the last ones. */
  folded = $derived(
    this.#isSearch && !this.unfolded
      ? Math.max(0, this.#found.length - Math.max(this.#good, LEAST_SHOWN))
      : 0,
  );
  /** What is shown. */
  tiles = $derived(this.#found.slice(0, this.#found.length - this.folded));
  /** A search that found nothing better than weak matches. */
  onlyWeak = $derived(this.#isSearch && this.#good === 0);
  waiting = $state.raw<Waiting[]>([]);
  /** Number of assets behind the list; null for a search, which has no end but its limit. */
  total = $state<number | null>(null);
  loading = $state(false);
  problem = $state.raw<Problem | null>(null);
  #question: Question = { text: '', like: null, filters: {} };
  #cursor = $state<string | null>(null);
  #request = new AbortController();

  get more(): boolean {
    return this.#cursor !== null;
  }

  async show(question: Question): Promise<void> {
    this.#question = question;
    this.unfolded = false;
    this.loading = true;
    await this.#load((signal) => first(question, signal));
  }

  again(): Promise<void> {
    return this.show(this.#question);
  }

  /** New work was finished: show it, unless a person has scrolled on or is reading a search. */
  async refresh(): Promise<void> {
    const { text, like } = this.#question;
    if (text || like || this.loading || this.tiles.length > PAGE) return;
    await this.#load((signal) => first(this.#question, signal));
  }

  async next(): Promise<void> {
    const cursor = this.#cursor;
    if (cursor === null || this.loading) return;
    this.loading = true;
    await this.#load(async (signal) => {
      const page = await api.newest(this.#question.filters, PAGE, cursor, signal);
      const tiles = [...this.#found, ...listed(page.assets)];
      return { tiles, waiting: [], cursor: page.next_cursor, total: this.total };
    });
  }

  /** A newer question stops an older one, so that answers never arrive in the wrong order. */
  async #load(ask: (signal: AbortSignal) => Promise<Answer>): Promise<void> {
    this.#request.abort();
    const { signal } = (this.#request = new AbortController());
    try {
      const answer = await ask(signal);
      if (signal.aborted) return;
      this.#found = answer.tiles;
      this.waiting = answer.waiting;
      this.total = answer.total;
      this.#cursor = answer.cursor;
      this.problem = null;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
      this.problem = error;
    } finally {
      if (!signal.aborted) this.loading = false;
    }
  }
}

interface Answer {
  tiles: Tile[];
  waiting: Waiting[];
  cursor: string | null;
  total: number | null;
}

async function first(question: Question, signal: AbortSignal): Promise<Answer> {
  const { text, like, filters } = question;
  if (text || like) {
    const found = like
      ? await api.similar(like, HITS, signal)
      : await api.search(text, filters, HITS, signal);
    const tiles = await withCards(found, signal);
    return { tiles, waiting: found.waiting, cursor: null, total: null };
  }
  const page = await api.newest(filters, PAGE, null, signal);
  return { tiles: listed(page.assets), waiting: [], cursor: page.next_cursor, total: page.total };
}

const listed = (cards: AssetCard[]): Tile[] => cards.map((card) => ({ card, hit: null }));

/** Joins hits with their cards in the order of the hits; what was removed meanwhile drops out. */
async function withCards(found: Results, signal: AbortSignal): Promise<Tile[]> {
  if (!found.results.length) return [];
  const ids = found.results.map((hit) => hit.asset_id);
  const cards = new Map((await api.cards(ids, signal)).map((card) => [card.id, card]));
  return found.results.flatMap((hit) => {
    const card = cards.get(hit.asset_id);
    return card ? [{ card, hit }] : [];
  });
}

export const results = new ResultList();
