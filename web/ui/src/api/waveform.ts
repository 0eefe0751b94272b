/** How loud a recording is along its time. */
import { mediaUrl } from './media';
import type { AssetCard } from './types';

/** Of 127: sound that never gets louder is drawn as quiet as it is. */
const QUIETEST = 12;

/** Peaks in [0, 127], evenly over the length; null while they are not made yet. */
export async function loadPeaks(card: AssetCard): Promise<number[] | null> {
  const response = await fetch(mediaUrl(card, 'waveform')).catch(() => null);
  return response?.ok ? ((await response.json()) as { peaks: number[] }).peaks : null;
}

/** So many bars along the time, each as a share of the loudest, in [0, 1]. */
export function barsOf(peaks: readonly number[], count: number): number[] {
  const loudest = Math.max(QUIETEST, ...peaks);
  return Array.from({ length: count }, (_, i) => {
    const from = Math.floor((i / count) * peaks.length);
    const to = Math.max(from + 1, Math.floor(((i + 1) / count) * peaks.length));
    return Math.max(0, ...peaks.slice(from, to)) / loudest;
  });
}
