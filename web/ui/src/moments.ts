/** Moments as the player wants them: those with a place in time, each with the second to open at. */
import type { Hit } from './api/types';

export interface TimedMoment {
  start_s: number;
  end_s: number;
  /** The frame that matched best: what a person searched for is seen at once. */
  open_s: number;
  score: number;
  channel: string;
}

/** Best first, as the API gives them. A photo, or a match in a file's name, has none. */
export function timedMoments(hit: Hit | null): TimedMoment[] {
  return (hit?.moments ?? []).flatMap(({ start_s, end_s, at_s, score, channel }) =>
    start_s === null || end_s === null
      ? []
      : [{ start_s, end_s, open_s: at_s ?? start_s, score, channel }],
  );
}

/** Where a player opens: at what matched best; null: at the start. */
export function opensAt_s(hit: Hit | null): number | null {
  return timedMoments(hit)[0]?.open_s ?? null;
}
