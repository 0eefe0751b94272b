/** Assets as lists show them, and what a person does to many of them at once. */
import { answer, http } from './client';
import type { Filters } from './filters';
import type { AssetCard } from './types';

/** What one request for cards may name. */
export const MOST_CARDS = 100;

/** Everything a grid needs to be laid out: ids and shapes of the whole list, packed. */
export const fetchLayout = (filters: Filters, trashed: boolean, signal: AbortSignal) =>
  answer(http.GET('/api/v1/assets/layout', { params: { query: { ...filters, trashed } }, signal }));

/** Cards of at most `MOST_CARDS` assets; those that are gone are left out. */
export async function fetchCards(ids: string[]): Promise<AssetCard[]> {
  const query = { ids: ids.join(','), limit: Math.max(1, ids.length) };
  return (await answer(http.GET('/api/v1/assets', { params: { query } }))).assets;
}
