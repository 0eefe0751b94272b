/** The folders of libraries, as people browse them. */
import { answer, http } from './client';
import type { Folder } from './types';

/** The folders directly below one; `under` is empty for the library's root. */
export async function fetchFolders(library: string, under: string): Promise<Folder[]> {
  const params = { path: { library_id: library }, query: { under } };
  return (await answer(http.GET('/api/v1/libraries/{library_id}/folders', { params }))).folders;
}
