/** What was searched on this device lately, newest first. It leaves the browser never. */

import { keep, keptJson } from '../kept';

const KEY = 'dam.searches';
const MOST = 20;

class RecentSearches {
  list = $state.raw<string[]>(read());

  /** A search that a person has finished typing, not each of its letters. */
  add(text: string): void {
    const typed = text.trim();
    if (!typed) return;
    // Half-typed beginnings of it make room: “dog ru” is not what was searched.
    const others = this.list.filter((old) => !typed.toLowerCase().startsWith(old.toLowerCase()));
    this.#keep([typed, ...others].slice(0, MOST));
  }

  forget(text: string): void {
    this.#keep(this.list.filter((old) => old !== text));
  }

  #keep(list: string[]): void {
    this.list = list;
    keep(KEY, JSON.stringify(list));
  }
}

function read(): string[] {
  const list = keptJson(KEY);
  return Array.isArray(list) ? list.filter((text) => typeof text === 'string') : [];
}

export const recent = new RecentSearches();
