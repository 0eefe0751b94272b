/** What the indexers do, what failed, and what may rest. */
import { answer, http } from './client';

export const workApi = {
  jobs: () => answer(http.GET('/api/v1/jobs')),

  /** One indexer, or (null) all of them. */
  pause: (indexer: string | null) => answer(http.POST('/api/v1/jobs/pause', { body: { indexer } })),

  resume: (indexer: string | null) =>
    answer(http.POST('/api/v1/jobs/resume', { body: { indexer } })),

  troubles: (limit: number, cursor: string | null) =>
    answer(
      http.GET('/api/v1/jobs/failed', {
        params: { query: { limit, ...(cursor === null ? {} : { cursor }) } },
      }),
    ),

  /** Those runs, or (null) every one that failed. Tells how many will be tried again. */
  retry: async (run_ids: string[] | null) =>
    (await answer(http.POST('/api/v1/jobs/retry', { body: { run_ids } }))).retried,

  health: () => answer(http.GET('/api/v1/health')),
};
