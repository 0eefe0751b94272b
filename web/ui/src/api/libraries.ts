/** The watched folders, and those of the server that can become one. */
import { answer, http } from './client';

const at = (library_id: string) => ({ params: { path: { library_id } } });

export const librariesApi = {
  list: async () => (await answer(http.GET('/api/v1/libraries'))).libraries,

  add: (path: string) => answer(http.POST('/api/v1/libraries', { body: { path } })),

  /** Gives it another name, or another place in the queue: 1 before the others, -1 after them. */
  change: (library_id: string, body: { name?: string; priority?: -1 | 0 | 1 }) =>
    answer(
      http.PATCH('/api/v1/libraries/{library_id}', { params: { path: { library_id } }, body }),
    ),

  scan: (id: string) => answer(http.POST('/api/v1/libraries/{library_id}/scan', at(id))),

  confirmMissing: (id: string) =>
    answer(http.POST('/api/v1/libraries/{library_id}/confirm-missing', at(id))),

  /** Without `confirm` nothing is removed: it tells what would be. */
  remove: (library_id: string, confirm: boolean) =>
    answer(
      http.DELETE('/api/v1/libraries/{library_id}', {
        params: { path: { library_id }, query: { confirm } },
      }),
    ),

  /** Folders of the library directly below one of its folders; '' is its own. */
  foldersIn: async (library_id: string, under: string) =>
    (
      await answer(
        http.GET('/api/v1/libraries/{library_id}/folders', {
          params: { path: { library_id }, query: { under } },
        }),
      )
    ).folders,

  /** Folders of the server's disk; without a path those that one may begin with. */
  choices: (path: string | null) =>
    answer(http.GET('/api/v1/folders', { params: { query: path === null ? {} : { path } } })),
};
