/** Files on their way into a library, as the transfers ask for them. */
import type { UploadServer } from '../uploads/types';
import { answer, http } from './client';
import { problemOf } from './problem';

const at = (upload_id: string) => ({ path: { upload_id } });

export const uploadServer: UploadServer = {
  check: async (files, signal) => {
    const body = { files };
    const checked = await answer(http.POST('/api/v1/uploads/check', { body, signal }));
    return checked.files.map(({ known }) => known);
  },

  begin: (to, file, signal) =>
    answer(http.POST('/api/v1/uploads', { body: { ...to, ...file }, signal })),

  send: (id, offset, chunk, signal) =>
    answer(
      http.PATCH('/api/v1/uploads/{upload_id}', {
        params: { ...at(id), header: { 'Upload-Offset': offset } },
        headers: { 'Content-Type': 'application/octet-stream' },
        // The types know bytes as text only; what is sent is what was read.
        body: chunk as unknown as string,
        bodySerializer: (bytes) => bytes,
        signal,
      }),
    ),

  forget: async (id) => {
    const { error, response } = await http.DELETE('/api/v1/uploads/{upload_id}', {
      params: at(id),
    });
    if (!response.ok) throw problemOf(error, response);
  },
};
