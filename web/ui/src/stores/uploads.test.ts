import { expect, it, vi } from 'vitest';
import { Problem } from '../api/problem';
import type { UploadServer } from '../uploads/types';
import { Uploads } from './uploads.svelte';

const TO = { library_id: 'l1', folder: 'Trips' };

/** Says what it is asked; answers to `send` wait until they are let go. */
class FakeServer implements UploadServer {
  known: Record<string, string> = {};
  checked: number[] = [];
  folders: string[] = [];
  held: (() => void)[] = [];
  holding = false;
  refusal: Problem | null = null;
  forgotten: string[] = [];

  check: UploadServer['check'] = async (files) => {
    this.checked.push(files.length);
    return files.map(({ name }) => this.known[name] ?? null);
  };

  begin: UploadServer['begin'] = async (to, file) => {
    if (this.refusal) throw this.refusal;
    this.folders.push(to.folder);
    return { id: `id of ${file.name}`, offset: 0, done: false, path: null };
  };

  send: UploadServer['send'] = (id, _offset, chunk, signal) =>
    new Promise((resolve, reject) => {
      const answer = (): void =>
        resolve({ offset: chunk.byteLength, done: true, path: `Trips/${id.slice(6)}` });
      signal.addEventListener('abort', () => reject(signal.reason as Error));
      if (this.holding) this.held.push(answer);
      else answer();
    });

  forget: UploadServer['forget'] = async (id) => {
    this.forgotten.push(id);
  };
}

const hasher = { hash: async (file: File) => `hash of ${file.name}` };
const file = (name: string) => ({ file: new File(['picture'], name), folder: '' });
const names = (count: number) => Array.from({ length: count }, (_, i) => file(`${i}.jpg`));

function made(): { server: FakeServer; uploads: Uploads } {
  const server = new FakeServer();
  return { server, uploads: new Uploads(server, hasher) };
}

it('adds all files, asking for many of them at once', async () => {
  const { server, uploads } = made();
  uploads.add(names(30), TO);
  await vi.waitFor(() => expect(uploads.counts.done).toBe(30));
  expect(server.checked.length).toBeLessThan(3);
  expect(uploads.sent_bytes).toBe(uploads.total_bytes);
});

it('keeps the folders of what was dropped', async () => {
  const { server, uploads } = made();
  uploads.add([{ ...file('a.jpg'), folder: 'Iceland/Day 1' }], TO);
  await vi.waitFor(() => expect(uploads.counts.done).toBe(1));
  expect(server.folders).toEqual(['Trips/Iceland/Day 1']);
});

it('sends nothing of what is known', async () => {
  const { server, uploads } = made();
  server.known['1.jpg'] = 'asset';
  uploads.add(names(3), TO);
  await vi.waitFor(() => expect(uploads.counts.done).toBe(2));
  expect(uploads.list[1]).toMatchObject({ state: 'known', result: 'asset', server_id: null });
});

it('sends three at a time', async () => {
  const { server, uploads } = made();
  server.holding = true;
  uploads.add(names(10), TO);
  await vi.waitFor(() => expect(uploads.counts.ready).toBe(7));
  expect(server.held.length).toBe(3);
  server.holding = false;
  for (const answer of server.held) answer();
  await vi.waitFor(() => expect(uploads.counts.done).toBe(10));
});

it('goes on after a pause with what was being sent', async () => {
  const { server, uploads } = made();
  server.holding = true;
  uploads.add(names(2), TO);
  await vi.waitFor(() => expect(server.held.length).toBe(2));
  uploads.pause();
  await vi.waitFor(() => expect(uploads.counts.ready).toBe(2));
  server.holding = false;
  uploads.resume();
  await vi.waitFor(() => expect(uploads.counts.done).toBe(2));
});

it('forgets what is cancelled, on the server too', async () => {
  const { server, uploads } = made();
  server.holding = true;
  uploads.add(names(1), TO);
  await vi.waitFor(() => expect(server.held.length).toBe(1));
  uploads.cancelAll();
  expect(uploads.counts).toMatchObject({ cancelled: 1, sending: 0 });
  expect(server.forgotten).toEqual(['id of 0.jpg']);
  expect(uploads.active).toBe(0);
});

it('says why a file failed, and tries it again when asked', async () => {
  const { server, uploads } = made();
  server.refusal = new Problem('The disk is full.', 507);
  uploads.add(names(1), TO);
  await vi.waitFor(() => expect(uploads.counts.failed).toBe(1));
  expect(uploads.list[0]?.reason).toBe('The disk is full.');
  server.refusal = null;
  uploads.retryFailed();
  await vi.waitFor(() => expect(uploads.counts.done).toBe(1));
});

it('refuses an empty file without asking', async () => {
  const { server, uploads } = made();
  uploads.add([{ file: new File([], 'empty.jpg'), folder: '' }], TO);
  await vi.waitFor(() => expect(uploads.counts.failed).toBe(1));
  expect(server.checked).toEqual([]);
});

it('forgets what is over when it is cleared', async () => {
  const { uploads } = made();
  uploads.add(names(2), TO);
  await vi.waitFor(() => expect(uploads.counts.done).toBe(2));
  uploads.clear();
  expect(uploads.list).toEqual([]);
  expect([uploads.total_bytes, uploads.sent_bytes, uploads.counts.done]).toEqual([0, 0, 0]);
});
