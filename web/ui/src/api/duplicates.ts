/** Groups of copies, and what a person decides about them. Nothing is done unless it is asked for. */
import { answer, http } from './client';
import type { components } from './schema';

type Schemas = components['schemas'];

export type DuplicateGroup = Schemas['DuplicateGroup'];
export type CopyFacts = Schemas['CopyFacts'];
export type FileCopy = Schemas['FileCopy'];
export const KINDS = ['exact', 'photo', 'burst', 'video', 'audio'] as const;
export type GroupKind = (typeof KINDS)[number];

/** Groups of one page: as many as a person looks at in one sitting. */
const PAGE = 50;

export const duplicatesApi = {
  list: (kind: GroupKind | null, cursor: string | null, signal: AbortSignal) =>
    answer(
      http.GET('/api/v1/duplicates', {
        params: { query: { limit: PAGE, ...(kind && { kind }), ...(cursor && { cursor }) } },
        signal,
      }),
    ),

  decide: (asset_ids: string[], verdict: 'keep' | 'different') =>
    answer(http.POST('/api/v1/duplicates/decide', { body: { asset_ids, verdict } })),

  stack: (asset_ids: string[], cover_id: string) =>
    answer(http.POST('/api/v1/duplicates/stack', { body: { asset_ids, cover_id } })),

  trash: (keep_id: string, asset_ids: string[], merge: boolean) =>
    answer(http.POST('/api/v1/duplicates/trash', { body: { keep_id, asset_ids, merge } })),

  trashFiles: (file_ids: string[]) =>
    answer(http.POST('/api/v1/duplicates/files/trash', { body: { file_ids } })),

  restoreFiles: (file_ids: string[]) =>
    answer(http.POST('/api/v1/duplicates/files/restore', { body: { file_ids } })),

  trashedFiles: async () => (await answer(http.GET('/api/v1/duplicates/files/trash'))).files,

  undo: (undo: string) => answer(http.POST('/api/v1/duplicates/undo', { body: { undo } })),
};
