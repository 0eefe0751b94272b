/** What is said in an asset, and where it lies as subtitles. */
import { answer, http } from './client';
import type { SpokenLine, Transcript } from './types';

export function readTranscript(asset_id: string): Promise<Transcript> {
  return answer(
    http.GET('/api/v1/assets/{asset_id}/transcript', { params: { path: { asset_id } } }),
  );
}

/** An empty text: nothing is said there. null: as it was heard. */
export function changeLine(
  asset_id: string,
  { start_s, end_s }: Pick<SpokenLine, 'start_s' | 'end_s'>,
  text: string | null,
): Promise<Transcript> {
  return answer(
    http.PATCH('/api/v1/assets/{asset_id}/transcript', {
      params: { path: { asset_id } },
      body: { start_s, end_s, text },
    }),
  );
}

export function subtitlesUrl(asset_id: string, format: 'vtt' | 'srt'): string {
  return `/api/v1/assets/${asset_id}/transcript.${format}`;
}
