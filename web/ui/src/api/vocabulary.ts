/** Words of one's own, with synonyms, in a tree. */
import { answer, http } from './client';
import type { components } from './schema';

type Schemas = components['schemas'];

export type OwnWord = Schemas['VocabularyEntry'];
type WordsChanged = Schemas['WordsChanged'];

export const LIST_URL = '/api/v1/vocabulary/file';

export async function fetchVocabulary(): Promise<OwnWord[]> {
  return (await answer(http.GET('/api/v1/vocabulary'))).words;
}

/** Adds a word, or gives it another place and other synonyms. */
export const putWord = (
  word: string,
  parent: string | null,
  synonyms: string[],
): Promise<WordsChanged> =>
  answer(http.PUT('/api/v1/vocabulary/word', { body: { word, parent, synonyms } }));

export const removeWord = (word: string): Promise<WordsChanged> =>
  answer(http.POST('/api/v1/vocabulary/remove', { body: { word } }));

/** Takes in a keyword list beside what is there. */
export const importWords = (text: string): Promise<WordsChanged> =>
  answer(http.POST('/api/v1/vocabulary/import', { body: { text, replace: false } }));
