/** Assets as lists show them, and what a person does to many of them at once. */
import { answer, http } from './client';
import type { Filters } from './filters';
import type { components } from './schema';
import type { AssetCard } from './types';

type Schemas = components['schemas'];

/** What one change of many may name. */
export const MOST_CHANGED = 100_000;

/** What one request for cards may name. */
export const MOST_CARDS = 100;

/** Everything a grid needs to be laid out: ids and shapes of the whole list, packed. */
export const fetchLayout = (filters: Filters, trashed: boolean, signal: AbortSignal) =>
  answer(askLayout(filters, trashed, signal, null));

/** The same, or null when it still is the `version` that is known. */
export async function fetchNewerLayout(filters: Filters, version: string, signal: AbortSignal) {
  const asked = await askLayout(filters, false, signal, version);
  return asked.response.status === NOT_MODIFIED ? null : answer(Promise.resolve(asked));
}

const NOT_MODIFIED = 304;

/** Past the browser's cache: it makes a second reader of an address wait for a first that was aborted. */
const askLayout = (
  filters: Filters,
  trashed: boolean,
  signal: AbortSignal,
  version: string | null,
) =>
  http.GET('/api/v1/assets/layout', {
    params: { query: { ...filters, trashed } },
    headers: version === null ? {} : { 'If-None-Match': `"${version}"` },
    cache: 'no-store',
    signal,
  });

/** Cards of at most `MOST_CARDS` assets; those that are gone are left out. */
export async function fetchCards(ids: string[]): Promise<AssetCard[]> {
  const query = { ids: ids.join(','), limit: Math.max(1, ids.length) };
  return (await answer(http.GET('/api/v1/assets', { params: { query } }))).assets;
}

export type AssetChange = Omit<Schemas['BulkChanges'], 'asset_ids'>;

/** Changes all of them in the same way, or none. The answer names the change, to take it back. */
export const changeAssets = (asset_ids: string[], change: AssetChange) =>
  answer(http.POST('/api/v1/assets/bulk', { body: { asset_ids, ...change } }));

/** Puts back exactly what each asset had before. */
export const undoChange = (undo: string) =>
  answer(http.POST('/api/v1/assets/bulk/undo', { body: { undo } }));
