/** Every request the app makes. Failures are `Problem`s. */
import { connection } from '../stores/connection.svelte';
import type { Filters } from './filters';
import { Problem, problemOf } from './problem';
import type {
  Asset,
  AssetCard,
  AssetPage,
  FailedRun,
  FileView,
  Jobs,
  Library,
  Results,
  Verdict,
} from './types';

const ROOT = '/api/v1';

type Query = Record<string, string | number | null | undefined>;

async function request<T>(path: string, query: Query = {}, init: RequestInit = {}): Promise<T> {
  const given = Object.entries(query).filter(([, v]) => v !== null && v !== undefined);
  const search = new URLSearchParams(given.map(([k, v]) => [k, String(v)]));
  let response: Response;
  try {
    response = await fetch(`${ROOT}${path}${search.size ? `?${search}` : ''}`, init);
  } catch (error) {
    if (error instanceof DOMException) throw error;
    connection.lost = true;
    throw new Problem('dam does not answer. Is the server running?', 0);
  }
  connection.lost = false;
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok) throw problemOf(body, response);
  return body as T;
}

const send = (method: string, body: unknown): RequestInit => ({
  method,
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
});

const signalled = (signal?: AbortSignal): RequestInit => (signal ? { signal } : {});

export const api = {
  search: (q: string, filters: Filters, limit: number, signal?: AbortSignal) =>
    request<Results>('/search', { q, limit, ...filters }, signalled(signal)),

  similar: (id: string, limit: number, signal?: AbortSignal) =>
    request<Results>(`/assets/${id}/similar`, { limit }, signalled(signal)),

  newest: (filters: Filters, limit: number, cursor: string | null, signal?: AbortSignal) =>
    request<AssetPage>('/assets', { limit, cursor, ...filters }, signalled(signal)),

  cards: async (ids: string[], signal?: AbortSignal): Promise<AssetCard[]> =>
    (
      await request<AssetPage>(
        '/assets',
        { ids: ids.join(','), limit: ids.length },
        signalled(signal),
      )
    ).assets,

  asset: (id: string) => request<Asset>(`/assets/${id}`),

  decide: (id: string, word: string, verdict: Verdict) =>
    request<Asset>(`/assets/${id}`, {}, send('PATCH', { tags: [{ word, verdict }] })),

  libraries: async () => (await request<{ libraries: Library[] }>('/libraries')).libraries,

  addLibrary: (path: string) => request<Library>('/libraries', {}, send('POST', { path })),

  unreadable: async (library: string) =>
    (await request<{ files: FileView[] }>(`/libraries/${library}/files`, { state: 'unreadable' }))
      .files,

  jobs: () => request<Jobs>('/jobs'),

  failed: async () => (await request<{ runs: FailedRun[] }>('/jobs/failed', { limit: 50 })).runs,

  retryFailed: () => request<{ retried: number }>('/jobs/retry', {}, send('POST', {})),
};
