/** What can be read in an asset, and where. */
import { answer, http } from './client';
import type { WrittenLine } from './types';

export async function readWriting(asset_id: string): Promise<WrittenLine[]> {
  const params = { path: { asset_id } };
  return (await answer(http.GET('/api/v1/assets/{asset_id}/text', { params }))).lines;
}
