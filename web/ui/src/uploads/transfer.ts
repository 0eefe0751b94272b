/** Sends one file in chunks, and goes on by itself when the server was away for a while. */
import { Problem } from '../api/problem';
import type { Destination, Fingerprint, Standing, UploadServer } from './types';

/** Smaller: more round trips; larger: more is sent twice after a cut, and more memory is held. */
export const CHUNK_BYTES = 8 * 1024 * 1024;
/** The server restarts within seconds; asking more rarely than this would look dead. */
const LONGEST_PAUSE_MS = 5000;
/** Refusals that mean "not here any more": begin again, which goes on where it stopped. */
const LOST_THE_PLACE = [404, 409];
const MOST_RESTARTS = 5;

export interface Transfer {
  server: UploadServer;
  to: Destination;
  file: Blob;
  fingerprint: Fingerprint;
  signal: AbortSignal;
  chunk_bytes?: number;
  /** Called with the server's id once it has one, so that it can be told to forget it. */
  onbegin: (id: string) => void;
  onsent: (bytes: number) => void;
  /** Why the server cannot go on now, while it is asked again; empty once it goes on. */
  onwaiting: (reason: string) => void;
  pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** What passes by itself: no answer, or one that says "later". */
export function isPassing(error: unknown): error is Problem {
  return error instanceof Problem && [0, 429, 502, 503, 504].includes(error.status);
}

/**
 * The path of the file in its library.
 *
 * Raises `Problem` for what waiting does not mend, and what `signal` was aborted with.
 */
export async function transfer(job: Transfer): Promise<string> {
  let standing = await begin(job);
  for (let restarts = 0; !standing.done;) {
    job.onsent(standing.offset);
    const end = standing.offset + (job.chunk_bytes ?? CHUNK_BYTES);
    const chunk = await job.file.slice(standing.offset, end).arrayBuffer();
    try {
      standing = {
        ...standing,
        ...(await job.server.send(standing.id, standing.offset, chunk, job.signal)),
      };
      restarts = 0;
    } catch (error) {
      const lost = error instanceof Problem && LOST_THE_PLACE.includes(error.status);
      if (!isPassing(error) && !(lost && ++restarts <= MOST_RESTARTS)) throw error;
      standing = await begin(job);
    }
  }
  job.onsent(job.fingerprint.size_bytes);
  return standing.path ?? job.fingerprint.name;
}

async function begin(job: Transfer): Promise<Standing & { id: string }> {
  const { server, to, fingerprint, signal, pause = pauseFor } = job;
  for (let pause_ms = 500; ; pause_ms = Math.min(2 * pause_ms, LONGEST_PAUSE_MS)) {
    try {
      const standing = await server.begin(to, fingerprint, signal);
      job.onbegin(standing.id);
      job.onwaiting('');
      return standing;
    } catch (error) {
      if (!isPassing(error)) throw error;
      job.onwaiting(error.message);
      await pause(pause_ms, signal);
    }
  }
}

/** Raises what `signal` was aborted with, at once. */
function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}
