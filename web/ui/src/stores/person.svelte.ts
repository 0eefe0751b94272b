/** The person whose page is open: who it is, their faces, and faces that might be theirs. */
import { Newest } from '../api/newest';
import { peopleApi, type FaceView, type PersonCard } from '../api/people';
import { Problem } from '../api/problem';

const PAGE = 200;
const SUGGESTED = 12;

export class OpenPerson {
  /** null until the first answer. */
  person = $state.raw<PersonCard | null>(null);
  /** The newest first. */
  faces = $state.raw<FaceView[]>([]);
  suggested = $state.raw<FaceView[]>([]);
  more = $state(false);
  problem = $state.raw<Problem | null>(null);
  readonly id: string;
  #cursor: string | null = null;
  #newest = new Newest();

  constructor(id: string) {
    this.id = id;
  }

  /** As many faces as are shown already, at least a page of them. */
  async load(): Promise<void> {
    await this.#guarded(async (current) => {
      const person = await peopleApi.one(this.id);
      const wanted = Math.max(PAGE, this.faces.length);
      let faces: FaceView[] = [];
      let cursor: string | null = null;
      do {
        const page = await peopleApi.faces(this.id, PAGE, cursor);
        faces = [...faces, ...page.faces];
        cursor = page.next_cursor;
      } while (cursor !== null && faces.length < wanted);
      // Only who has a name is asked about: for others the naming itself is the question.
      const suggested = person.name ? await peopleApi.suggestions(this.id, SUGGESTED) : [];
      if (!current()) return;
      this.person = person;
      this.faces = faces;
      this.suggested = suggested.map(({ face }) => face);
      this.#follow(cursor);
    });
  }

  async next(): Promise<void> {
    await this.#guarded(async (current) => {
      const page = await peopleApi.faces(this.id, PAGE, this.#cursor);
      if (!current()) return;
      this.faces = [...this.faces, ...page.faces];
      this.#follow(page.next_cursor);
    });
  }

  #follow(cursor: string | null): void {
    this.#cursor = cursor;
    this.more = cursor !== null;
  }

  async #guarded(read: (current: () => boolean) => Promise<void>): Promise<void> {
    const signal = this.#newest.begin();
    try {
      await read(() => !signal.aborted);
      if (!signal.aborted) this.problem = null;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (!signal.aborted) this.problem = error;
    }
  }
}
