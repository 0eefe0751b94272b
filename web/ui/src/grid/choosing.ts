/** How pictures of one grid are chosen, one by one or as a range; what is chosen lies in the store. */
import { selection } from '../stores/selection.svelte';

/** The list of the grid. It may change at any time: an index stands for another asset then. */
interface List {
  id: (index: number) => string;
  /** -1 when it is not in the list. */
  indexOf: (id: string) => number;
}

export class Choosing {
  #list: List;
  /** The asset where a range begins; it stays while the range is drawn out. null: the first of all. */
  #anchor: string | null = null;

  constructor(list: List) {
    this.#list = list;
  }

  /** The next range begins here. */
  startAt(index: number): void {
    this.#anchor = this.#list.id(index);
  }

  toggle(index: number): void {
    this.startAt(index);
    selection.toggle(this.#list.id(index));
  }

  /** From the anchor; of one that has gone from the list, this one alone. */
  rangeTo(index: number): void {
    const found = this.#anchor === null ? 0 : this.#list.indexOf(this.#anchor);
    const from = found < 0 ? index : found;
    this.#add(Math.min(from, index), Math.abs(index - from) + 1);
  }

  all(count: number): void {
    this.#add(0, count);
  }

  #add(first: number, count: number): void {
    selection.add(Array.from({ length: count }, (_, i) => this.#list.id(first + i)));
  }
}
