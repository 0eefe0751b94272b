/** What was searched on this device lately, newest first. It leaves the browser never. */

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
    try {
      localStorage.setItem(KEY, JSON.stringify(list));
    } catch {
      // Storage is full or switched off: the list lives as long as the page.
    }
  }
}

function read(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(kept) ? kept.filter((text) => typeof text === 'string') : [];
  } catch {
    return [];
  }
}

export const recent = new RecentSearches();
