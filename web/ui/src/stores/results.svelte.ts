/** What a search found: its hits, how sure they are, and how its words were understood. */
import type { Filters } from '../api/filters';
import { Newest } from '../api/newest';
import { Problem } from '../api/problem';
import { readQuery, search, type Asked } from '../api/search';
import type { Hit, Reading, Waiting } from '../api/types';
import { isWeak } from '../confidence';

/** Enough for several screens; the best are what a person came for. */
const FIRST = 100;
/** All that one answer of the API may hold. */
const MOST = 200;
/** Weak hits are folded away only after so many: the scores are no measure of what a person meant. */
const LEAST_SHOWN = 12;

/** A search by what pictures show that starts up answers after this long, or a few times that. */
const RETRY_MS = 2500;
const MOST_RETRIES = 20;

/** It will answer by itself: nothing is missing that a person could mend. */
export function isStarting({ reason, command }: Waiting): boolean {
  return Boolean(reason) && (command == null || command === 'dam serve');
}

export interface Question {
  asked: Asked;
  filters: Filters;
}

class SearchResults {
  /** Best first; null until the first answer. They stay while the next answer is on its way. */
  hits = $state.raw<Hit[] | null>(null);
  /** Words to avoid, phrases, filters and dates that were found in the text. */
  reading = $state.raw<Reading | null>(null);
  waiting = $state.raw<Waiting[]>([]);
  /** What has to be known about the picture model that answered. */
  notice = $state.raw<string | null>(null);
  loading = $state(false);
  problem = $state.raw<Problem | null>(null);
  /** There may be more than were asked for. */
  more = $state(false);

  /** How many are no weak matches. They come first, for hits are sorted. */
  good = $derived((this.hits ?? []).filter((hit) => !isWeak(hit)).length);
  /** How many are shown before the weaker ones are unfolded. */
  folded = $derived(Math.min(this.hits?.length ?? 0, Math.max(this.good, LEAST_SHOWN)));
  #places = $derived(new Map((this.hits ?? []).map(({ asset_id }, i) => [asset_id, i])));
  #question: Question | null = null;
  /** The text that `reading` is of. */
  #read = '';
  #newest = new Newest();
  #limit = FIRST;
  #retries = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;

  /** -1 when it was not found. */
  indexOf = (id: string): number => this.#places.get(id) ?? -1;

  hit = (id: string): Hit | null => this.hits?.[this.indexOf(id)] ?? null;

  /** Answers a question; the same one again only where its answer may have changed. */
  async show(question: Question): Promise<void> {
    const { like, picture } = question.asked;
    const before = this.#question?.asked;
    // Pictures that look like another one say nothing about this one: those are not left standing.
    if (before?.like !== like || before.picture !== picture) this.hits = null;
    this.#question = question;
    this.#retries = 0;
    await this.#load(FIRST);
  }

  /** After a failure, or when something about the assets has changed. */
  async again(): Promise<void> {
    await this.#load(this.#limit);
  }

  /** As many as the API gives at once. */
  async showMore(): Promise<void> {
    await this.#load(MOST);
  }

  /** A page that shows something else takes over: an answer that is still to come is dropped. */
  leave(): void {
    this.#newest.stop();
    clearTimeout(this.#retry);
    this.loading = false;
  }

  async #load(limit: number): Promise<void> {
    const question = this.#question;
    if (!question) return;
    const signal = this.#newest.begin();
    clearTimeout(this.#retry);
    this.loading = true;
    this.#limit = limit;
    void this.#understand(question.asked.text, signal);
    try {
      const found = await search(question.asked, question.filters, limit, signal);
      if (signal.aborted) return;
      this.hits = found.results;
      this.waiting = found.waiting;
      this.notice = found.model?.notice ?? null;
      this.more = found.results.length === limit && limit < MOST;
      this.problem = null;
      if (found.waiting.some(isStarting)) this.#soonAgain();
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
      this.problem = error;
    } finally {
      if (!signal.aborted) this.loading = false;
    }
  }

  #soonAgain(): void {
    if (this.#retries >= MOST_RETRIES) return;
    this.#retries += 1;
    this.#retry = setTimeout(() => void this.again(), RETRY_MS);
  }

  async #understand(text: string, signal: AbortSignal): Promise<void> {
    if (text === this.#read && this.reading) return;
    try {
      const reading = text ? await readQuery(text, signal) : null;
      if (signal.aborted) return;
      this.#read = text;
      this.reading = reading;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
      // What cannot be read cannot be searched either, and the search says why.
      this.reading = null;
    }
  }
}

export const results = new SearchResults();
