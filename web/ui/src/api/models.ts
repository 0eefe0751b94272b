/** The models on this machine, and those that can be had. */
import { answer, http } from './client';
import type { components } from './schema';

export type Model = components['schemas']['ModelView'];

const named = (name: string) => ({ params: { path: { name } } });

export const modelsApi = {
  list: async () => (await answer(http.GET('/api/v1/models'))).models,

  /** Begins a download, or goes on with it. */
  pull: (name: string) => answer(http.POST('/api/v1/models/{name}/pull', named(name))),

  /** What has arrived is kept. */
  stopPull: (name: string) => answer(http.DELETE('/api/v1/models/{name}/pull', named(name))),

  /** New work is done with it; searches change over when all work is done. */
  use: (name: string) => answer(http.POST('/api/v1/models/{name}/use', named(name))),
};
