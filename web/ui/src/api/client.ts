/** How every request is made, typed by the API's own document. Failures are `Problem`s. */
import createClient from 'openapi-fetch';
import { connection } from '../stores/connection.svelte';
import { Problem, problemOf } from './problem';
import type { paths } from './schema';

export const http = createClient<paths>({ fetch: reach });

/** `fetch` that notes whether the server answers at all. */
async function reach(request: Request): Promise<Response> {
  try {
    const response = await fetch(request);
    connection.lost = false;
    return response;
  } catch (error) {
    if (request.signal.aborted) throw error;
    connection.lost = true;
    throw new Problem('dam does not answer. Is the server running?', 0);
  }
}

export async function answer<T>(
  asked: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<T> {
  const { data, error, response } = await asked;
  if (data === undefined) throw problemOf(error, response);
  return data;
}
