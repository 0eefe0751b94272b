/** Every tag in use, one to look through, and decisions about many assets at once. */
import { answer, http } from './client';
import type { Filters } from './filters';
import type { components } from './schema';
import type { Verdict } from './types';

type Schemas = components['schemas'];

export type WordSummary = Schemas['WordSummary'];
export type ReviewItem = Schemas['ReviewItem'];
export type Changed = Schemas['Changed'];
/** What is said of a tag on an asset. */
export type WordState = 'suggested' | 'approved' | 'rejected';

const PAGE = 200;

export const fetchTags = (q: string, cursor: string | null, signal: AbortSignal) =>
  answer(
    http.GET('/api/v1/tags', {
      params: { query: { q, limit: PAGE, ...(cursor === null ? {} : { cursor }) } },
      signal,
    }),
  );

export const fetchReview = (
  word: string,
  state: WordState,
  cursor: string | null,
  signal: AbortSignal,
) =>
  answer(
    http.GET('/api/v1/tags/review', {
      params: { query: { word, state, limit: PAGE, ...(cursor === null ? {} : { cursor }) } },
      signal,
    }),
  );

export async function fetchSelectedTags(
  asset_ids: string[],
  signal: AbortSignal,
): Promise<WordSummary[]> {
  return (await answer(http.POST('/api/v1/tags/selected', { body: { asset_ids }, signal }))).tags;
}

/** All that a query, filters and suggestions of a word leave over. */
export interface Matching {
  q?: string;
  filters?: Filters;
  suggested?: { word: string; least?: number };
}

export async function countMatching(matching: Matching): Promise<number> {
  const body = matching as Schemas['MatchingBody'];
  return (await answer(http.POST('/api/v1/tags/matching', { body }))).assets;
}

export const decideTag = (
  word: string,
  verdict: Verdict | null,
  where: { asset_ids: string[] } | { matching: Matching },
): Promise<Changed> =>
  answer(
    http.POST('/api/v1/tags/decide', {
      body: { tags: [{ word, verdict }], ...where } as Schemas['DecideBody'],
    }),
  );

export const renameTag = (word: string, to: string, merge: boolean): Promise<Changed> =>
  answer(http.POST('/api/v1/tags/rename', { body: { word, to, merge } }));

export type Taught = Schemas['Taught'];

/** How a tag was taught by example; null: it was not. */
export async function fetchTaught(word: string): Promise<Taught | null> {
  const { taught } = await answer(http.GET('/api/v1/tags/taught'));
  return taught.find((one) => one.word === word) ?? null;
}

export const teachTag = (word: string) =>
  answer(http.POST('/api/v1/tags/teach', { body: { word } }));

/** The approved pictures that an asset looks most like. */
export async function fetchNearest(word: string, asset_id: string, signal: AbortSignal) {
  const params = { query: { word, asset_id } };
  return (await answer(http.GET('/api/v1/tags/nearest', { params, signal }))).examples;
}

export const forgetTaught = (word: string): Promise<Changed> =>
  answer(http.POST('/api/v1/tags/forget', { body: { word } }));

export const deleteTag = (word: string): Promise<Changed> =>
  answer(http.POST('/api/v1/tags/delete', { body: { word } }));
