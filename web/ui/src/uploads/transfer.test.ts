import { beforeEach, expect, it } from 'vitest';
import { Problem } from '../api/problem';
import { transfer, type Transfer } from './transfer';
import type { UploadServer } from './types';

const CHUNK_BYTES = 64;
const SIZE = 2 * CHUNK_BYTES + 5;
const TO = { library_id: 'l1', folder: 'Iceland' };

/** Keeps what it was sent, as the real one does; `failures` come before its next answers. */
class FakeServer implements UploadServer {
  kept = new Uint8Array(SIZE);
  offset = 0;
  begun = 0;
  failures: (Problem | null)[] = [];

  check = async (): Promise<null[]> => [null];

  begin = async () => {
    this.begun += 1;
    this.#fail();
    return { id: 'u1', offset: this.offset, done: false, path: null };
  };

  send = async (_id: string, offset: number, chunk: ArrayBuffer) => {
    if (offset !== this.offset) throw new Problem('Not where the file stands.', 409);
    this.#fail();
    this.kept.set(new Uint8Array(chunk), offset);
    this.offset += chunk.byteLength;
    const done = this.offset === SIZE;
    return { offset: this.offset, done, path: done ? 'Iceland/a.jpg' : null };
  };

  forget = async (): Promise<void> => undefined;

  #fail(): void {
    const failure = this.failures.shift();
    if (failure) throw failure;
  }
}

let server: FakeServer;
let bytes: Uint8Array<ArrayBuffer>;
let sent: number[];
let waited: string[];
let stop: AbortController;

const job = (): Transfer => ({
  server,
  to: TO,
  file: new Blob([bytes]),
  fingerprint: { name: 'a.jpg', size_bytes: SIZE, blake3: 'ab' },
  signal: stop.signal,
  chunk_bytes: CHUNK_BYTES,
  onbegin: () => undefined,
  onsent: (count) => sent.push(count),
  onwaiting: (reason) => waited.push(reason),
  pause: async () => stop.signal.throwIfAborted(),
});

beforeEach(() => {
  server = new FakeServer();
  bytes = Uint8Array.from({ length: SIZE }, (_, i) => i % 251);
  [sent, waited, stop] = [[], [], new AbortController()];
});

it('sends a file in chunks and tells how far it is', async () => {
  expect(await transfer(job())).toBe('Iceland/a.jpg');
  expect(sent).toEqual([0, CHUNK_BYTES, 2 * CHUNK_BYTES, SIZE]);
  expect(server.kept).toEqual(bytes);
});

it('goes on where an earlier page stopped', async () => {
  server.kept.set(bytes.subarray(0, CHUNK_BYTES));
  server.offset = CHUNK_BYTES;
  await transfer(job());
  expect(sent[0]).toBe(CHUNK_BYTES);
  expect(server.kept).toEqual(bytes);
});

it('waits for a server that went away in the middle, and goes on', async () => {
  const gone = new Problem('dam does not answer.', 0);
  server.failures = [null, null, gone, gone, new Problem('Starting.', 503)];
  await transfer(job());
  expect(waited).toEqual(['', gone.message, 'Starting.', '']);
  expect(server.kept).toEqual(bytes);
});

it('begins anew when the server has lost the place', async () => {
  server.failures = [null, new Problem('There is no such upload.', 404)];
  await transfer(job());
  expect(server.begun).toBe(2);
  expect(server.kept).toEqual(bytes);
});

it('gives up when the place is lost again and again', async () => {
  const lost = new Problem('There is no such upload.', 404);
  server.failures = Array.from({ length: 20 }, (_, i) => (i % 2 ? lost : null));
  await expect(transfer(job())).rejects.toThrow('no such upload');
});

it('fails at once with what waiting does not mend', async () => {
  server.failures = [null, new Problem('The disk is full.', 507)];
  await expect(transfer(job())).rejects.toThrow('The disk is full.');
  expect(server.begun).toBe(1);
});

it('stops waiting when it is cancelled', async () => {
  server.failures = Array.from({ length: 9 }, () => new Problem('dam does not answer.', 0));
  setTimeout(() => stop.abort());
  await expect(
    transfer({
      ...job(),
      pause: () =>
        new Promise((_, no) => {
          stop.signal.addEventListener('abort', () => no(stop.signal.reason as Error));
        }),
    }),
  ).rejects.toThrow('abort');
});
