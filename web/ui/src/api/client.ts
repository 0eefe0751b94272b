/** Every request the app makes, typed by the API's own document. Failures are `Problem`s. */
import createClient from 'openapi-fetch';
import { connection } from '../stores/connection.svelte';
import type { Filters } from './filters';
import { Problem, problemOf } from './problem';
import type { paths } from './schema';
import type { Verdict } from './types';

export const http = createClient<paths>({ fetch: reach });

/** `fetch` that notes whether the server answers at all. */
async function reach(request: Request): Promise<Response> {
  try {
    const response = await fetch(request);
    connection.lost = false;
    return response;
  } catch (error) {
    if (request.signal.aborted) throw error;
    connection.lost = true;
    throw new Problem('dam does not answer. Is the server running?', 0);
  }
}

export async function answer<T>(
  asked: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<T> {
  const { data, error, response } = await asked;
  if (data === undefined) throw problemOf(error, response);
  return data;
}

export const api = {
  search: (q: string, filters: Filters, limit: number, signal: AbortSignal) =>
    answer(http.GET('/api/v1/search', { params: { query: { q, limit, ...filters } }, signal })),

  similar: (asset_id: string, limit: number, signal: AbortSignal) =>
    answer(
      http.GET('/api/v1/assets/{asset_id}/similar', {
        params: { path: { asset_id }, query: { limit } },
        signal,
      }),
    ),

  newest: (filters: Filters, limit: number, cursor: string | null, signal: AbortSignal) =>
    answer(
      http.GET('/api/v1/assets', {
        params: { query: { limit, ...(cursor === null ? {} : { cursor }), ...filters } },
        signal,
      }),
    ),

  cards: async (ids: string[], signal: AbortSignal) => {
    const query = { ids: ids.join(','), limit: ids.length };
    return (await answer(http.GET('/api/v1/assets', { params: { query }, signal }))).assets;
  },

  asset: (asset_id: string) =>
    answer(http.GET('/api/v1/assets/{asset_id}', { params: { path: { asset_id } } })),

  decide: (asset_id: string, word: string, verdict: Verdict | null) =>
    answer(
      http.PATCH('/api/v1/assets/{asset_id}', {
        params: { path: { asset_id } },
        body: { tags: [{ word, verdict }] },
      }),
    ),
};
