/** Searching: by words, by what looks alike, and what a half-typed word could become. */
import { answer, http } from './client';
import type { Filters } from './filters';
import type { Results, Suggestion, SuggestionKind } from './types';

/** What is looked for, beside the filters. */
export interface Asked {
  text: string;
  /** Id of an asset, and the second of its frame where one is meant. */
  like: string | null;
  likeAt_s: number | null;
  /** What it sounds like is meant, not what it looks like. */
  likeSound: boolean;
  /** Id of a kept picture. */
  picture: string | null;
}

export function search(
  { text, like, likeAt_s, likeSound, picture }: Asked,
  filters: Filters,
  limit: number,
  signal: AbortSignal,
): Promise<Results> {
  if (like !== null) {
    const query = {
      limit,
      ...filters,
      ...(likeAt_s === null ? {} : { at_s: likeAt_s }),
      ...(likeSound ? { by: 'sound' as const } : {}),
    };
    const params = { path: { asset_id: like }, query };
    return answer(http.GET('/api/v1/assets/{asset_id}/similar', { params, signal }));
  }
  const query = { limit, ...filters, ...(picture === null ? { q: text } : { picture }) };
  return answer(http.GET('/api/v1/search', { params: { query }, signal }));
}

/** How the words of a query are understood. */
export const readQuery = (q: string, signal: AbortSignal) =>
  answer(http.GET('/api/v1/search/reading', { params: { query: { q } }, signal }));

/** Values that begin with `q`, commonest first; with nothing typed the commonest of the kind. */
export const suggest = async (
  q: string,
  kind: SuggestionKind | null,
  limit: number,
  signal: AbortSignal,
): Promise<Suggestion[]> => {
  const query = { q, limit, ...(kind === null ? {} : { kind }) };
  const found = await answer(http.GET('/api/v1/suggest', { params: { query }, signal }));
  return found.suggestions as Suggestion[];
};

/** Sends a picture to search with; its id goes into the address of the results. */
export const keepPicture = async (file: Blob) => {
  const form = new FormData();
  form.append('image', file, 'picture');
  const kept = http.POST('/api/v1/search/pictures', {
    // The document describes a multipart file as text; what is sent is the file itself.
    body: form as unknown as { image: string },
    bodySerializer: () => form,
  });
  return (await answer(kept)).picture;
};

export const pictureUrl = (picture: string): string =>
  `/api/v1/search/pictures/${encodeURIComponent(picture)}`;
