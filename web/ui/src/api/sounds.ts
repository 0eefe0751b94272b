/** What is heard in an asset, by name. */
import { answer, http } from './client';
import type { HeardEvent } from './types';

export async function readSounds(asset_id: string): Promise<HeardEvent[]> {
  const params = { path: { asset_id } };
  return (await answer(http.GET('/api/v1/assets/{asset_id}/sounds', { params }))).events;
}
