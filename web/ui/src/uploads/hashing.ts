/** BLAKE3 of files, worked out beside the page so that it stays quick. */

/** Without a file: stop hashing that one. */
export interface HashQuestion {
  id: number;
  file?: File;
}

export interface HashAnswer {
  id: number;
  read_bytes?: number;
  blake3?: string;
  error?: string;
}

interface Asked {
  take: (answer: HashAnswer) => void;
}

/** Hashes one file at a time per worker; who asks decides how many are asked for at once. */
export class Hasher {
  #worker: Worker | null = null;
  #asked = new Map<number, Asked>();
  #last = 0;

  /**
   * Hex of the file's BLAKE3. `onread` is told how many bytes have been read.
   *
   * Raises what `signal` was aborted with, and an `Error` when the file cannot be read (any more).
   */
  hash(file: File, signal: AbortSignal, onread: (bytes: number) => void): Promise<string> {
    const worker = (this.#worker ??= this.#start());
    const id = ++this.#last;
    return new Promise<string>((resolve, reject) => {
      const stop = (): void => {
        this.#asked.delete(id);
        worker.postMessage({ id } satisfies HashQuestion);
        reject(signal.reason as Error);
      };
      if (signal.aborted) return reject(signal.reason as Error);
      signal.addEventListener('abort', stop, { once: true });
      this.#asked.set(id, {
        take: (answer) => {
          if (answer.read_bytes !== undefined) return onread(answer.read_bytes);
          this.#asked.delete(id);
          signal.removeEventListener('abort', stop);
          if (answer.blake3 !== undefined) resolve(answer.blake3);
          else reject(new Error(answer.error));
        },
      });
      worker.postMessage({ id, file } satisfies HashQuestion);
    });
  }

  #start(): Worker {
    const worker = new Worker(new URL('./hash.worker.ts', import.meta.url), { type: 'module' });
    worker.addEventListener('message', ({ data }: MessageEvent<HashAnswer>) =>
      this.#asked.get(data.id)?.take(data),
    );
    return worker;
  }
}
