/** What an upload is made of, and what the server can be asked about it. */

/** A folder of a library; `folder` is relative to the library's own, empty for that itself. */
export interface Destination {
  library_id: string;
  folder: string;
}

export interface Fingerprint {
  name: string;
  size_bytes: number;
  /** Hex. */
  blake3: string;
}

/** Where a transfer stands. `path` is where the file lies in the library once it is `done`. */
export interface Standing {
  offset: number;
  done: boolean;
  path: string | null;
}

/** The part of the API that uploads need; each call raises `Problem`. */
export interface UploadServer {
  /** The ids of the assets that these files are already, in the same order. */
  check(files: Fingerprint[], signal: AbortSignal): Promise<(string | null)[]>;
  /** Begins, or goes on with one that was cut off. */
  begin(
    to: Destination,
    file: Fingerprint,
    signal: AbortSignal,
  ): Promise<Standing & { id: string }>;
  send(id: string, offset: number, chunk: ArrayBuffer, signal: AbortSignal): Promise<Standing>;
  forget(id: string): Promise<void>;
}
