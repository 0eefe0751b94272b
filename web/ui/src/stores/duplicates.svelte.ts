/** Groups of copies under review: which is looked at, which copy is to be kept, what was decided. */
import { duplicatesApi, type DuplicateGroup, type GroupKind } from '../api/duplicates';
import { Newest } from '../api/newest';
import { Problem } from '../api/problem';
import { cards } from './cards.svelte';
import { changes } from './changes.svelte';
import { toasts } from './toasts.svelte';

class Duplicates {
  /** null until the server has answered once. */
  groups = $state.raw<DuplicateGroup[] | null>(null);
  counts = $state.raw<Record<string, number>>({});
  kind = $state.raw<GroupKind | null>(null);
  problem = $state.raw<Problem | null>(null);
  busy = $state(false);
  /** Something was decided here, so that the group that is shown now took another one's place. */
  decided = false;
  /** Which of the groups is looked at. */
  at = $state(0);
  /** Which copy of it is to be kept, when it is another than the proposed one. */
  #chosen = $state.raw<{ group: string; copy: number } | null>(null);
  #total = $state(0);
  #cursor: string | null = null;
  #newest = new Newest();

  get group(): DuplicateGroup | null {
    return this.groups?.[this.at] ?? null;
  }

  get total(): number {
    return this.#total;
  }

  /** Place of the copy that is to be kept. */
  get kept(): number {
    return this.#chosen?.group === this.group?.id ? (this.#chosen?.copy ?? 0) : 0;
  }

  choose(copy: number): void {
    const { group } = this;
    const copies = group?.kind === 'exact' ? group.files.length : (group?.cards.length ?? 0);
    if (group && copy < copies) this.#chosen = { group: group.id, copy };
  }

  show(kind: GroupKind | null): void {
    this.kind = kind;
    this.groups = null;
    this.at = 0;
    void this.load();
  }

  /** From the first group on; `group`: the one to look at, when it is among them. */
  async load(group: string | null = null): Promise<void> {
    const signal = this.#newest.begin();
    await this.#tried(signal, async () => {
      const page = await duplicatesApi.list(this.kind, null, signal);
      if (signal.aborted) return;
      this.groups = page.groups;
      this.counts = page.counts;
      this.#total = page.total;
      this.#cursor = page.next_cursor;
      const place = page.groups.findIndex(({ id }) => id === group);
      this.at = place >= 0 ? place : Math.min(this.at, Math.max(0, page.groups.length - 1));
    });
  }

  /** One group on or back; false at either end. */
  async step(by: 1 | -1): Promise<boolean> {
    const to = this.at + by;
    if (to >= (this.groups?.length ?? 0)) await this.#more();
    if (to < 0 || to >= (this.groups?.length ?? 0)) return false;
    this.at = to;
    return true;
  }

  /**
   * Does what a person decided about the group that is looked at; the next one takes its place.
   * Raises `Problem` when it is refused.
   */
  async decide(done: string, act: () => Promise<{ undo: string }>): Promise<void> {
    const { group } = this;
    if (!group || this.busy) return;
    this.busy = true;
    try {
      const { undo } = await act();
      this.decided = true;
      this.#changed(group);
      toasts.say(done, { undo: () => this.#undo(group, undo) });
      await this.load(this.groups?.[this.at + 1]?.id ?? null);
    } finally {
      this.busy = false;
    }
  }

  async #undo(group: DuplicateGroup, undo: string): Promise<void> {
    try {
      await duplicatesApi.undo(undo);
      this.#changed(group);
      toasts.say('Taken back');
      await this.load(group.id);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      toasts.say(error.message);
    }
  }

  #changed(group: DuplicateGroup): void {
    cards.refresh(group.cards.map(({ id }) => id));
    changes.made += 1;
  }

  async #more(): Promise<void> {
    if (this.#cursor === null) return;
    const signal = this.#newest.begin();
    await this.#tried(signal, async () => {
      const page = await duplicatesApi.list(this.kind, this.#cursor, signal);
      if (signal.aborted) return;
      this.groups = [...(this.groups ?? []), ...page.groups];
      this.#cursor = page.next_cursor;
    });
  }

  async #tried(signal: AbortSignal, ask: () => Promise<void>): Promise<void> {
    try {
      await ask();
      if (!signal.aborted) this.problem = null;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
      this.problem = error;
    }
  }
}

export const duplicates = new Duplicates();
