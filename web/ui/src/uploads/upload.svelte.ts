/** One file on its way into a library. */
import type { Destination } from './types';

export type UploadState =
  | 'queued' // to be hashed
  | 'hashing'
  | 'hashed' // to be compared with what is there
  | 'ready' // to be sent
  | 'sending'
  | 'done'
  | 'known' // is in a library already: not sent
  | 'failed'
  | 'cancelled';

export const UNFINISHED: readonly UploadState[] = [
  'queued',
  'hashing',
  'hashed',
  'ready',
  'sending',
];

export class Upload {
  readonly id: number;
  readonly file: File;
  readonly to: Destination;
  state = $state<UploadState>('queued');
  /** Bytes read while it is hashed, then bytes sent. */
  moved_bytes = $state(0);
  /** Why the server cannot take it now; it is asked again by itself. */
  waiting = $state('');
  /** Why it failed. */
  reason = $state('');
  /** Where the file lies in its library, or the id of the asset that it already is. */
  result = $state('');
  /** Hex, once hashed. */
  blake3: string | null = null;
  /** The server's name for it, once begun. */
  server_id: string | null = null;
  stop = new AbortController();

  constructor(id: number, file: File, to: Destination) {
    this.id = id;
    this.file = file;
    this.to = to;
  }

  get unfinished(): boolean {
    return UNFINISHED.includes(this.state);
  }
}
