/** The transcript of the recording that is open, and what a person mends in it. */
import { Problem } from '../api/problem';
import { changeLine, readTranscript } from '../api/transcript';
import type { SpokenLine } from '../api/types';
import { saying } from '../saying';
import { toasts } from './toasts.svelte';

export class OpenTranscript {
  lines = $state.raw<SpokenLine[]>([]);
  /** Counts the changes, so that players know when to read the subtitles again. */
  changes = $state(0);
  #asset: string;

  constructor(asset: string) {
    this.#asset = asset;
  }

  /** Quietly: without its words a recording can still be played. */
  async load(): Promise<void> {
    try {
      this.lines = (await readTranscript(this.#asset)).lines;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
  }

  /** Writes over a line; null lets what was heard show again. */
  async edit(line: SpokenLine, text: string | null): Promise<void> {
    const back = line.edited ? line.text : null;
    const said = text === null ? 'Line as it was heard' : text ? 'Line changed' : 'Line removed';
    await saying(async () => {
      await this.#write(line, text);
      toasts.say(said, { undo: () => saying(() => this.#write(line, back)) });
    });
  }

  async #write(line: SpokenLine, text: string | null): Promise<void> {
    this.lines = (await changeLine(this.#asset, line, text)).lines;
    this.changes += 1;
  }
}
