/** What was still to be sent when the page went away. The files themselves are out of reach then. */
import { keep, keptJson } from '../kept';
import type { Destination } from './types';

const KEY = 'dam.uploads';

export interface Unfinished {
  to: Destination;
  files: number;
  bytes: number;
}

export function remembered(): Unfinished | null {
  return keptJson(KEY) as Unfinished | null;
}

export function remember(unfinished: Unfinished | null): void {
  keep(KEY, unfinished && JSON.stringify(unfinished));
}
