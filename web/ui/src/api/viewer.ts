/** Requests about the one asset that is open: read it, and say what is true of it. */
import { answer, http } from './client';
import type { AssetDetail } from './types';
import type { components } from './schema';

/** What is absent stays; null takes an edit back, so that the file is heard again. */
export type AssetChanges = components['schemas']['AssetChanges'];

export function readAsset(asset_id: string): Promise<AssetDetail> {
  return answer(http.GET('/api/v1/assets/{asset_id}', { params: { path: { asset_id } } }));
}

export function changeAsset(asset_id: string, changes: AssetChanges): Promise<AssetDetail> {
  return answer(
    http.PATCH('/api/v1/assets/{asset_id}', {
      params: { path: { asset_id } },
      body: changes,
    }),
  );
}
