/** What a person says of people and faces: done at once, said, and undone on request. */
import { NameTaken, peopleApi, type FacesSettings, type PersonCard } from '../api/people';
import { Problem, refusalOf } from '../api/problem';
import { toasts } from './toasts.svelte';

/** Whom a name is given to: somebody, or faces that become somebody by it. */
export type Nameless = { person: string } | { faces: string[] };

/** What a field for names answers: new letters, or somebody who is known. */
export type NameChoice = { name: string } | { person: PersonCard };

export const nameOf = ({ name }: Pick<PersonCard, 'name'>): string => name ?? 'Unnamed';

class People {
  /** Counts what was said or taken back: lists look again when it grows. */
  made = $state(0);
  busy = $state(false);

  /** Raises `NameTaken`; any other refusal is told, and null is the answer. */
  async say<T extends { undo: string }>(act: () => Promise<T>, said: string): Promise<T | null> {
    this.busy = true;
    try {
      const changed = await act();
      this.made += 1;
      toasts.say(said, { undo: () => this.#undo(changed.undo) });
      return changed;
    } catch (error) {
      if (error instanceof NameTaken) throw error;
      toasts.say(refusalOf(error));
      return null;
    } finally {
      this.busy = false;
    }
  }

  /** Raises `NameTaken`. */
  name(who: Nameless, name: string) {
    return this.say(
      () =>
        'person' in who ? peopleApi.change(who.person, { name }) : peopleApi.make(who.faces, name),
      `Named ${name}`,
    );
  }

  /** They are somebody who is known already. */
  join(who: Nameless, person: PersonCard) {
    return this.say(
      () =>
        'person' in who
          ? peopleApi.merge(person.id, [who.person])
          : peopleApi.give(person.id, who.faces),
      `Added to ${nameOf(person)}`,
    );
  }

  hide(person: PersonCard, hidden: boolean) {
    return this.say(
      () => peopleApi.change(person.id, { hidden }),
      `${nameOf(person)}: ${hidden ? 'hidden' : 'shown again'}`,
    );
  }

  async #undo(undo: string): Promise<void> {
    try {
      await peopleApi.undo(undo);
      this.made += 1;
      toasts.say('Taken back');
    } catch (error) {
      toasts.say(refusalOf(error));
    }
  }
}

export const people = new People();

class Faces {
  /** null until the server has answered once. */
  settings = $state.raw<FacesSettings | null>(null);
  problem = $state.raw<Problem | null>(null);

  /** They are looked for in some library. */
  get enabled(): boolean {
    return this.settings?.libraries.some(({ faces }) => faces) ?? false;
  }

  /** There is something to show, also after looking for faces was switched off. */
  get known(): boolean {
    return this.enabled || (this.settings?.stored.faces ?? 0) > 0;
  }

  async load(): Promise<void> {
    try {
      this.settings = await peopleApi.settings();
      this.problem = null;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.problem = error;
    }
  }

  /** Raises `Problem`. */
  async look(library_id: string, wanted: boolean): Promise<string> {
    const { message } = await peopleApi.look(library_id, wanted);
    await this.load();
    people.made += 1;
    return message;
  }
}

export const faces = new Faces();
