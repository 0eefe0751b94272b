/** One list of people, read page by page. */
import { Newest } from '../api/newest';
import { peopleApi, type PersonCard, type Which } from '../api/people';
import { Problem } from '../api/problem';

/** Several screens; the rest comes when it is asked for. */
const PAGE = 120;

export class PeopleList {
  /** null until the first answer. */
  people = $state.raw<PersonCard[] | null>(null);
  counts = $state.raw({ named: 0, unnamed: 0, hidden: 0, lone_faces: 0 });
  more = $state(false);
  problem = $state.raw<Problem | null>(null);
  #show: Which;
  #cursor: string | null = null;
  #newest = new Newest();

  constructor(show: Which) {
    this.#show = show;
  }

  /** From the start, as many as are shown already. */
  async load(q = ''): Promise<void> {
    const wanted = Math.max(PAGE, this.people?.length ?? 0);
    await this.#read(q, [], wanted, null);
  }

  async next(q = ''): Promise<void> {
    if (this.#cursor !== null)
      await this.#read(q, this.people ?? [], (this.people?.length ?? 0) + PAGE, this.#cursor);
  }

  async #read(q: string, found: PersonCard[], wanted: number, from: string | null): Promise<void> {
    const signal = this.#newest.begin();
    try {
      let cursor = from;
      do {
        const page = await peopleApi.list(
          {
            show: this.#show,
            limit: PAGE,
            ...(q && { q }),
            ...(cursor !== null && { cursor }),
          },
          signal,
        );
        found = [...found, ...page.people];
        this.counts = page.counts;
        cursor = page.next_cursor;
      } while (cursor !== null && found.length < wanted);
      this.people = found;
      this.#cursor = cursor;
      this.more = cursor !== null;
      this.problem = null;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
      this.problem = error;
    }
  }
}
