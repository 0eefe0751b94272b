/** Assets that were put away: listed apart, and brought back. */
import { answer, http } from './client';

/** Tells how many came back, and the word with which that is undone. */
export const restoreAssets = (asset_ids: string[]) =>
  answer(http.POST('/api/v1/assets/bulk', { body: { asset_ids, trashed: false } }));

export const undoChange = (undo: string) =>
  answer(http.POST('/api/v1/assets/bulk/undo', { body: { undo } }));
