/** The indexers' work as the server streams it; polled while no stream is to be had. */
import { Problem } from '../api/problem';
import type { Jobs } from '../api/types';
import { workApi } from '../api/work';
import { commandIn, type Need } from '../need';
import { connection } from './connection.svelte';
import { Pace, type Progress } from './pace';

const POLL_MS = 4000;

export interface IndexerProgress extends Progress {
  name: string;
  failed: number;
  waiting: number;
  paused: boolean;
}

class Work {
  jobs = $state.raw<Jobs | null>(null);
  indexers = $state.raw<IndexerProgress[]>([]);
  #paces = new Map<string, Pace>();
  #stream: EventSource | null = null;
  #poll: number | undefined;

  finished = $derived(this.indexers.reduce((sum, { finished }) => sum + finished, 0));
  total = $derived(this.indexers.reduce((sum, { total }) => sum + total, 0));
  /** What waits, and why: the reason names the command that mends it. */
  needs = $derived(
    (this.jobs?.indexers ?? []).flatMap(({ indexer, reason }): Need[] =>
      reason === null ? [] : [{ who: indexer, reason, command: commandIn(reason) }],
    ),
  );
  failed = $derived(this.indexers.reduce((sum, { failed }) => sum + failed, 0));
  /** The slowest indexer decides when all is done. */
  eta_s = $derived(Math.max(0, ...this.indexers.map(({ eta_s }) => eta_s ?? 0)) || null);

  /** Follows the work while the page is seen: a hidden page gives its stream back to others. */
  follow(): () => void {
    const onVisibility = (): void => (document.hidden ? this.#stop() : this.#start());
    document.addEventListener('visibilitychange', onVisibility);
    onVisibility();
    return () => {
      document.removeEventListener('visibilitychange', onVisibility);
      this.#stop();
    };
  }

  /** Lets one indexer rest, or (null) all of them. Raises `Problem`. */
  async pause(indexer: string | null): Promise<void> {
    this.#take(await workApi.pause(indexer));
  }

  /** Raises `Problem`. */
  async resume(indexer: string | null): Promise<void> {
    this.#take(await workApi.resume(indexer));
  }

  #start(): void {
    this.#stop();
    this.#open();
  }

  #stop(): void {
    this.#stream?.close();
    this.#stream = null;
    this.#stopPolling();
  }

  #open(): void {
    const stream = (this.#stream = new EventSource('/api/v1/jobs/stream'));
    stream.addEventListener('jobs', (event: MessageEvent<string>) => {
      connection.lost = false;
      this.#stopPolling();
      this.#take(JSON.parse(event.data) as Jobs);
    });
    stream.addEventListener('error', () => this.#startPolling());
  }

  #startPolling(): void {
    if (this.#poll !== undefined) return;
    this.#poll = setInterval(() => {
      void this.#ask();
      // After a refusal (all streams taken) the browser itself does not try again.
      if (this.#stream?.readyState === EventSource.CLOSED) this.#open();
    }, POLL_MS);
    void this.#ask();
  }

  #stopPolling(): void {
    clearInterval(this.#poll);
    this.#poll = undefined;
  }

  async #ask(): Promise<void> {
    try {
      this.#take(await workApi.jobs());
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
  }

  #take(jobs: Jobs): void {
    const now_s = performance.now() / 1000;
    this.jobs = jobs;
    this.indexers = jobs.indexers.map((runs) => {
      const name = runs.indexer;
      const pace = this.#paces.get(name) ?? new Pace();
      this.#paces.set(name, pace);
      return {
        name,
        ...pace.count(runs, now_s),
        failed: runs.failed + runs.quarantined,
        waiting: runs.waiting,
        paused: runs.paused,
      };
    });
  }
}

export const work = new Work();
