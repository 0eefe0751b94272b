/** The files on their way into libraries: hashed, compared with what is there, sent three at a time. */
import { Problem } from '../api/problem';
import { uploadServer } from '../api/uploads';
import type { DroppedFile } from '../uploads/dropped';
import { Hasher } from '../uploads/hashing';
import { isPassing, transfer } from '../uploads/transfer';
import type { Destination, UploadServer } from '../uploads/types';
import { remember, remembered, type Unfinished } from '../uploads/unfinished';
import { UNFINISHED, Upload, type UploadState } from '../uploads/upload.svelte';

/** One core stays free for the page. */
const HASHED_AT_ONCE = 1;
const SENT_AT_ONCE = 3;
/** A question may hold so many files; fewer make more round trips. */
const CHECKED_AT_ONCE = 200;
const ASK_AGAIN_MS = 2000;
/** While more are being hashed a question waits for them: many small files would ask one by one. */
const GATHER_MS = 250;
const REMEMBER_MS = 1000;
/** The status with which the server refuses bytes that do not have the announced hash. */
const DAMAGED = 422;

export class Uploads {
  list = $state.raw<Upload[]>([]);
  paused = $state(false);
  counts = $state<Record<UploadState, number>>(noCounts());
  total_bytes = $state(0);
  /** Of all files: those that need no sending count as sent. */
  sent_bytes = $state(0);
  /** What an earlier visit left unsent. */
  left = $state.raw<Unfinished | null>(remembered());
  /** Where files were added last. */
  lastTo: Destination | null = null;

  active = $derived(UNFINISHED.reduce((sum, state) => sum + this.counts[state], 0));

  #server: UploadServer;
  #hasher: Pick<Hasher, 'hash'>;
  #queues = { hash: [] as Upload[], check: [] as Upload[], send: [] as Upload[] };
  #busy = { hash: 0, check: 0, send: 0 };
  #last = 0;
  #remembering: ReturnType<typeof setTimeout> | undefined;

  constructor(server: UploadServer = uploadServer, hasher: Pick<Hasher, 'hash'> = new Hasher()) {
    this.#server = server;
    this.#hasher = hasher;
  }

  add(files: DroppedFile[], to: Destination): void {
    this.left = null;
    this.lastTo = to;
    const added = files.map(({ file, folder }) => {
      const whole = [to.folder, folder].filter(Boolean).join('/');
      return new Upload(++this.#last, file, { library_id: to.library_id, folder: whole });
    });
    this.list = [...this.list, ...added];
    this.counts.queued += added.length;
    this.total_bytes += added.reduce((sum, { file }) => sum + file.size, 0);
    this.#queues.hash.push(...added);
    this.#go();
  }

  /** What is being read is read to its end: it would have to be read anew from its beginning. */
  pause(): void {
    this.paused = true;
    for (const upload of this.list) if (upload.state === 'sending') upload.stop.abort();
  }

  resume(): void {
    this.paused = false;
    this.#go();
  }

  cancel(upload: Upload): void {
    if (!upload.unfinished) return;
    this.#enter(upload, 'cancelled');
    this.#forget(upload);
    this.#go();
  }

  cancelAll(): void {
    for (const upload of this.list) this.cancel(upload);
    this.paused = false;
  }

  retry(upload: Upload): void {
    if (upload.state !== 'failed') return;
    upload.reason = '';
    this.#enqueue(upload);
    this.#go();
  }

  retryFailed(): void {
    for (const upload of this.list) this.retry(upload);
  }

  /** Takes what is over from the list. */
  clear(): void {
    this.list = this.list.filter(({ unfinished }) => unfinished);
    const counts = noCounts();
    for (const { state } of this.list) counts[state] += 1;
    this.counts = counts;
    this.total_bytes = this.list.reduce((sum, { file }) => sum + file.size, 0);
    this.sent_bytes = this.list.reduce((sum, upload) => sum + sentOf(upload), 0);
  }

  /** A person knows of what was left, and does not want it any more. */
  forgetLeft(): void {
    this.left = null;
    remember(null);
  }

  #go(): void {
    if (!this.paused) {
      while (this.#busy.hash < HASHED_AT_ONCE && this.#start('hash', (it) => this.#hash(it)));
      while (this.#busy.send < SENT_AT_ONCE && this.#start('send', (it) => this.#send(it)));
      if (!this.#busy.check) void this.#check();
    }
    this.#rememberSoon();
  }

  /** Starts the next of a queue; false when there is none. */
  #start(kind: 'hash' | 'send', work: (upload: Upload) => Promise<void>): boolean {
    const upload = this.#next(kind);
    if (!upload) return false;
    this.#busy[kind] += 1;
    upload.stop = new AbortController();
    void work(upload)
      .catch((error: unknown) => this.#fail(upload, error))
      .finally(() => {
        this.#busy[kind] -= 1;
        this.#go();
      });
    return true;
  }

  #next(kind: 'hash' | 'check' | 'send'): Upload | undefined {
    const queue = this.#queues[kind];
    let upload = queue.shift();
    while (upload && !upload.unfinished) upload = queue.shift(); // cancelled meanwhile
    return upload;
  }

  async #hash(upload: Upload): Promise<void> {
    if (!upload.file.size) return this.#refuse(upload, 'The file is empty.');
    this.#enter(upload, 'hashing');
    upload.blake3 = await this.#hasher.hash(upload.file, upload.stop.signal, (bytes) => {
      upload.moved_bytes = bytes;
    });
    upload.moved_bytes = 0; // from now on: what was sent
    this.#enqueue(upload);
  }

  async #check(): Promise<void> {
    if (!this.#queues.check.length) return;
    this.#busy.check += 1;
    if (this.#busy.hash || this.#queues.hash.length) await pause(GATHER_MS);
    const uploads: Upload[] = [];
    for (let next; uploads.length < CHECKED_AT_ONCE && (next = this.#next('check'));)
      uploads.push(next);
    try {
      if (uploads.length) await this.#compare(uploads);
    } catch (error) {
      if (!isPassing(error)) for (const upload of uploads) this.#fail(upload, error);
      else {
        this.#queues.check.unshift(...uploads);
        await pause(ASK_AGAIN_MS);
      }
    } finally {
      this.#busy.check -= 1;
      this.#go();
    }
  }

  async #compare(uploads: Upload[]): Promise<void> {
    const known = await this.#server.check(uploads.map(fingerprintOf), NEVER);
    for (const [i, upload] of uploads.entries()) {
      if (!upload.unfinished) continue; // cancelled meanwhile
      const asset = known[i] ?? null;
      if (asset !== null) upload.result = asset;
      this.#enter(upload, asset === null ? 'ready' : 'known');
      if (asset === null) this.#queues.send.push(upload);
    }
  }

  async #send(upload: Upload): Promise<void> {
    this.#enter(upload, 'sending');
    upload.result = await transfer({
      server: this.#server,
      to: upload.to,
      file: upload.file,
      fingerprint: fingerprintOf(upload),
      signal: upload.stop.signal,
      onbegin: (id) => (upload.server_id = id),
      onsent: (bytes) => this.#sent(upload, bytes),
      onwaiting: (reason) => (upload.waiting = reason),
    });
    this.#enter(upload, 'done');
  }

  #sent(upload: Upload, bytes: number): void {
    const before = sentOf(upload);
    upload.moved_bytes = bytes;
    this.sent_bytes += sentOf(upload) - before;
  }

  #fail(upload: Upload, error: unknown): void {
    if (upload.state === 'cancelled') return;
    if (upload.stop.signal.aborted) return this.#enqueue(upload, { first: true }); // paused
    if (error instanceof Problem) {
      // What arrived was not what was hashed: the file has changed since.
      if (error.status === DAMAGED) upload.blake3 = upload.server_id = null;
      this.#refuse(upload, error.message);
    } else if (error instanceof Error) {
      const why = `The file cannot be read any more (${error.message}). Choose it again.`;
      this.#refuse(upload, why);
    } else throw error;
  }

  #refuse(upload: Upload, reason: string): void {
    upload.reason = reason;
    this.#enter(upload, 'failed');
  }

  /** Back to where its work goes on. */
  #enqueue(upload: Upload, { first = false } = {}): void {
    const known = upload.blake3 !== null;
    const begun = upload.server_id !== null;
    this.#enter(upload, begun ? 'ready' : known ? 'hashed' : 'queued');
    const queue = this.#queues[begun ? 'send' : known ? 'check' : 'hash'];
    if (first) queue.unshift(upload);
    else queue.push(upload);
  }

  #enter(upload: Upload, state: UploadState): void {
    const before = sentOf(upload);
    this.counts[upload.state] -= 1;
    this.counts[state] += 1;
    upload.state = state;
    upload.waiting = '';
    if (state === 'hashing') upload.moved_bytes = 0;
    this.sent_bytes += sentOf(upload) - before;
  }

  #forget(upload: Upload): void {
    upload.stop.abort();
    if (upload.server_id === null) return;
    // What it does not hear of now, the server sweeps away after a day.
    this.#server.forget(upload.server_id).catch(() => undefined);
    upload.server_id = null;
  }

  #rememberSoon(): void {
    this.#remembering ??= setTimeout(() => {
      this.#remembering = undefined;
      const first = this.list.find(({ unfinished }) => unfinished);
      const bytes = this.total_bytes - this.sent_bytes;
      if (first) remember({ to: first.to, files: this.active, bytes });
      else if (!this.left) remember(null);
    }, REMEMBER_MS);
  }
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

const NEVER = new AbortController().signal;

function noCounts(): Record<UploadState, number> {
  return {
    queued: 0,
    hashing: 0,
    hashed: 0,
    ready: 0,
    sending: 0,
    done: 0,
    known: 0,
    failed: 0,
    cancelled: 0,
  };
}

/** Bytes that need no sending any more. */
function sentOf({ unfinished, server_id, moved_bytes, file }: Upload): number {
  if (!unfinished) return file.size;
  return server_id === null ? 0 : moved_bytes;
}

function fingerprintOf({ file, blake3 }: Upload): {
  name: string;
  size_bytes: number;
  blake3: string;
} {
  if (blake3 === null) throw new Error(`${file.name} has not been hashed`);
  return { name: file.name, size_bytes: file.size, blake3 };
}

export const uploads = new Uploads();
