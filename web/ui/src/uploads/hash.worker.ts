/** Reads files and hashes them piece by piece, so that no file is ever held in memory whole. */
import { blake3 } from '@noble/hashes/blake3.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { HashAnswer, HashQuestion } from './hashing';

/** Smaller: more messages than work; larger: a pause is noticed late. */
const PIECE_BYTES = 4 * 1024 * 1024;

const stopped = new Set<number>();

function say(answer: HashAnswer): void {
  postMessage(answer);
}

async function hash(id: number, file: File): Promise<void> {
  const state = blake3.create();
  for (let at = 0; at < file.size; at += PIECE_BYTES) {
    state.update(new Uint8Array(await file.slice(at, at + PIECE_BYTES).arrayBuffer()));
    if (stopped.delete(id)) return;
    say({ id, read_bytes: Math.min(at + PIECE_BYTES, file.size) });
  }
  say({ id, blake3: bytesToHex(state.digest()) });
}

addEventListener('message', ({ data }: MessageEvent<HashQuestion>) => {
  if (!data.file) {
    stopped.add(data.id);
    return;
  }
  // A file that was moved or changed since it was chosen can no longer be read.
  hash(data.id, data.file).catch((error: unknown) => say({ id: data.id, error: String(error) }));
});
