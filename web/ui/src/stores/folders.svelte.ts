/** The folders below those that were opened, by library. */
import { SvelteMap, SvelteSet } from 'svelte/reactivity';
import { librariesApi } from '../api/libraries';
import { Problem } from '../api/problem';
import type { Folder } from '../api/types';

const keyOf = (library: string, under: string): string => `${library}/${under}`;

class Folders {
  #below = new SvelteMap<string, Folder[]>();
  #open = new SvelteSet<string>();
  #problems = new SvelteMap<string, Problem>();

  /** null until they are known. */
  below(library: string, under: string): Folder[] | null {
    return this.#below.get(keyOf(library, under)) ?? null;
  }

  /** Why those below one could not be had; null when they could. */
  problem(library: string, under: string): Problem | null {
    return this.#problems.get(keyOf(library, under)) ?? null;
  }

  /** Asks for them; what is known stays until the answer is there. */
  async load(library: string, under: string): Promise<void> {
    const key = keyOf(library, under);
    try {
      this.#below.set(key, await librariesApi.foldersIn(library, under));
      this.#problems.delete(key);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.#problems.set(key, error);
    }
  }

  isOpen(library: string, under: string): boolean {
    return this.#open.has(keyOf(library, under));
  }

  toggle(library: string, under: string): void {
    if (this.#open.delete(keyOf(library, under))) return;
    this.#open.add(keyOf(library, under));
    void this.load(library, under);
  }

  /** Opens every folder on the way to one, and that one, so that the tree shows it. */
  openTo(library: string, path: string): void {
    const parts = path.split('/').filter(Boolean);
    for (let depth = 0; depth <= parts.length; depth += 1) {
      const under = parts.slice(0, depth).join('/');
      this.#open.add(keyOf(library, under));
      void this.load(library, under);
    }
  }
}

export const folders = new Folders();
