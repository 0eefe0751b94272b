/** Where each entry of the history was scrolled to, so that "back" and a reload return to the place. */

import { keep, keptJson } from '../kept';

const KEY = 'dam.scroll';
/** A page that has not grown to the kept height by then will not: its content has changed. Long,
 * for a busy machine may take a while to tell what a large library holds. */
const PATIENCE_MS = 30_000;
const BY_HAND = ['wheel', 'touchstart', 'pointerdown', 'keydown'] as const;

interface EntryState {
  entry: string;
}

class ScrollMemory {
  #kept_px = (keptJson(KEY, 'sessionStorage') ?? {}) as Record<string, number>;
  #entry: string;
  #stop = (): void => {};

  constructor() {
    history.scrollRestoration = 'manual';
    const known = entryOf(history.state);
    this.#entry = known ?? newEntry();
    if (known === null) history.replaceState({ entry: this.#entry } satisfies EntryState, '');
    addEventListener('pagehide', () => {
      this.#keep();
      keep(KEY, JSON.stringify(this.#kept_px), 'sessionStorage');
    });
  }

  /** Keeps the place of the entry that is left for a new one; returns the new one's state. */
  leave(): EntryState {
    this.#keep();
    this.#entry = newEntry();
    return { entry: this.#entry };
  }

  /** The state of the entry that is shown, for an address that replaces it. */
  stay(): EntryState {
    return { entry: this.#entry };
  }

  /** The browser went to another entry: `state` is that one's. */
  arrive(state: unknown): void {
    this.#keep();
    this.#entry = entryOf(state) ?? newEntry();
  }

  toTop(): void {
    this.#stop();
    scrollTo({ top: 0, behavior: 'instant' });
  }

  /** Goes to where the entry was left, as soon as the page is tall enough, unless a person scrolls first. */
  restore(): void {
    this.#stop();
    const wanted_px = this.#kept_px[this.#entry] ?? 0;
    const attempt = (): void => {
      scrollTo({ top: wanted_px, behavior: 'instant' });
      if (Math.abs(scrollY - wanted_px) < 2) this.#stop();
    };
    const growth = new ResizeObserver(attempt);
    const patience = setTimeout(() => this.#stop(), PATIENCE_MS);
    this.#stop = () => {
      growth.disconnect();
      clearTimeout(patience);
      for (const name of BY_HAND) removeEventListener(name, this.#stop);
      this.#stop = () => {};
    };
    for (const name of BY_HAND) addEventListener(name, this.#stop, { passive: true });
    growth.observe(document.body);
  }

  #keep(): void {
    this.#kept_px[this.#entry] = Math.round(scrollY);
  }
}

function entryOf(state: unknown): string | null {
  return typeof state === 'object' && state !== null && 'entry' in state
    ? String(state.entry)
    : null;
}

/** Different in every tab and every visit: positions of an old visit must not be taken for new ones. */
function newEntry(): string {
  return Math.random().toString(36).slice(2, 10);
}

export const scroll = new ScrollMemory();
