/** How fast work goes, from what was counted lately. */
import type { IndexerStatus } from '../api/types';

/** Older counts than this say little about the pace now; fewer make the estimate jump. */
const WINDOW_S = 30;

/** What an indexer's runs have come to, of what the API tells. */
export type RunCounts = Pick<
  IndexerStatus,
  'pending' | 'leased' | 'done' | 'failed' | 'quarantined'
>;

interface Sample {
  at_s: number;
  finished: number;
}

export interface Progress {
  finished: number;
  total: number;
  /** Runs per second over the last half minute; null until two counts differ. */
  rate_per_s: number | null;
  eta_s: number | null;
}

export class Pace {
  #samples: Sample[] = [];

  /** Takes the counts seen at `at_s` (any steady clock, seconds) and tells where the work stands. */
  count(runs: RunCounts, at_s: number): Progress {
    const finished = runs.done + runs.failed + runs.quarantined;
    const left = runs.pending + runs.leased;
    const last = this.#samples.at(-1);
    // A retry or a new producer takes finished runs away: what was measured before is void.
    if (last && finished < last.finished) this.#samples = [];
    this.#samples.push({ at_s, finished });
    while (this.#samples.length > 2 && at_s - (this.#samples[0]?.at_s ?? at_s) > WINDOW_S)
      this.#samples.shift();
    const first = this.#samples[0];
    const span_s = first ? at_s - first.at_s : 0;
    const gained = first ? finished - first.finished : 0;
    const rate_per_s = span_s > 0 && gained > 0 ? gained / span_s : null;
    return {
      finished,
      total: finished + left,
      rate_per_s,
      eta_s: left && rate_per_s ? left / rate_per_s : null,
    };
  }
}
