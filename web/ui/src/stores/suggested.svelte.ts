/** What the half-typed words in the search box could become. */
import { Newest } from '../api/newest';
import { suggest } from '../api/search';
import { Problem } from '../api/problem';
import type { Suggestion } from '../api/types';
import { fragmentsOf, type Fragment } from '../suggestions';

/** Shorter than the pause before a search: a list that lags behind is no help. */
const PAUSE_MS = 120;
const MOST = 7;

export interface Completion extends Suggestion {
  /** The query before the words that it completes. */
  before: string;
}

class Suggested {
  list = $state.raw<Completion[]>([]);
  #newest = new Newest();
  #pause: ReturnType<typeof setTimeout> | undefined;

  /** Asks for what was typed last; the list of before stays until the answer is there. */
  complete(typed: string): void {
    this.#stop();
    const fragments = fragmentsOf(typed);
    if (fragments.length) this.#pause = setTimeout(() => void this.#ask(fragments), PAUSE_MS);
    else this.list = [];
  }

  clear(): void {
    this.#stop();
    this.list = [];
  }

  #stop(): void {
    clearTimeout(this.#pause);
    this.#newest.stop();
  }

  async #ask(fragments: Fragment[]): Promise<void> {
    const signal = this.#newest.begin();
    try {
      const answers = await Promise.all(
        fragments.map(async ({ text, kind, before }) => {
          const found = await suggest(text, kind, MOST, signal);
          return found.map((one): Completion => ({ ...one, before }));
        }),
      );
      if (!signal.aborted) this.list = unlike(answers.flat()).slice(0, MOST);
    } catch (error) {
      // Suggestions are a help, not an answer: the search itself says what is wrong.
      if (!signal.aborted && error instanceof Problem) this.list = [];
      else if (!signal.aborted) throw error;
    }
  }
}

/** The first of those that mean the same: the one that completes most of what was typed. */
function unlike(found: Completion[]): Completion[] {
  const key = ({ kind, text }: Completion): string => `${kind} ${text}`;
  return [...new Map(found.toReversed().map((one) => [key(one), one])).values()].toReversed();
}

export const suggested = new Suggested();
