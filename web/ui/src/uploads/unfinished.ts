/** What was still to be sent when the page went away. The files themselves are out of reach then. */
import type { Destination } from './types';

const KEY = 'dam.uploads';

export interface Unfinished {
  to: Destination;
  files: number;
  bytes: number;
}

export function remembered(): Unfinished | null {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? 'null') as Unfinished | null;
  } catch {
    return null; // not ours, or storage is refused: nothing is lost but the reminder
  }
}

export function remember(unfinished: Unfinished | null): void {
  try {
    if (unfinished === null) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, JSON.stringify(unfinished));
  } catch {
    // Storage is refused or full: the uploads themselves go on.
  }
}
