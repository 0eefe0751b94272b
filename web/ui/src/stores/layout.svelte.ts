/** The list that the library shows: ids, shapes and days of all its assets, however many. */
import { fetchLayout, fetchNewerLayout } from '../api/assets';
import type { Filters } from '../api/filters';
import { Newest } from '../api/newest';
import { Problem } from '../api/problem';
import { keepLast } from '../keepLast';

const ID_BYTES = 10;
/** Sound has no shape of its own: wide enough for its wave and its name. */
export const SOUND_ASPECT = 1.5;

export interface Day {
  /** "2024-05-03" by the camera's clock; null for assets without a date, which come last. */
  date: string | null;
  start: number;
  count: number;
}

/** One answer, unpacked. It never changes: a newer answer is another one. */
export class AssetList {
  readonly count: number;
  readonly days: Day[];
  #ids: Uint8Array;
  #aspects: DataView;

  /** `ids` and `aspects` as the API packs them, or unpacked. */
  constructor(
    ids: string | Uint8Array<ArrayBuffer>,
    aspects: string | Uint8Array<ArrayBuffer>,
    days: readonly (readonly (string | number | null)[])[],
    readonly version: string,
  ) {
    this.#ids = bytesOf(ids);
    this.#aspects = new DataView(bytesOf(aspects).buffer);
    this.count = this.#ids.length / ID_BYTES;
    let start = 0;
    this.days = days.map(([date, count]) => {
      const day = { date: date ? String(date) : null, start, count: Number(count) };
      start += day.count;
      return day;
    });
  }

  id = (index: number): string => {
    let text = '';
    for (let i = index * ID_BYTES; i < (index + 1) * ID_BYTES; i += 1)
      text += HEX[this.#ids[i] ?? 0];
    return text;
  };

  /** Width / height. */
  aspect = (index: number): number =>
    this.#aspects.getUint16(index * 2, true) / 1000 || SOUND_ASPECT;

  /** The list as it is once some have gone, before the server has said so. */
  without(gone: ReadonlySet<string>): AssetList {
    const kept: number[] = [];
    const days = this.days.map(({ date, start, count }): [string | null, number] => {
      const before = kept.length;
      for (let i = start; i < start + count; i += 1) if (!gone.has(this.id(i))) kept.push(i);
      return [date, kept.length - before];
    });
    const ids = new Uint8Array(kept.length * ID_BYTES);
    const aspects = new Uint8Array(kept.length * 2);
    kept.forEach((from, to) => {
      ids.set(this.#ids.subarray(from * ID_BYTES, (from + 1) * ID_BYTES), to * ID_BYTES);
      aspects.set(new Uint8Array(this.#aspects.buffer, from * 2, 2), to * 2);
    });
    return new AssetList(
      ids,
      aspects,
      days.filter(([, count]) => count),
      GUESSED,
    );
  }

  /** -1 when it is not in the list. */
  indexOf = (id: string): number => {
    const wanted = Uint8Array.from(id.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    if (wanted.length !== ID_BYTES) return -1;
    for (let i = 0; i < this.#ids.length; i += ID_BYTES)
      if (wanted.every((byte, at) => this.#ids[i + at] === byte)) return i / ID_BYTES;
    return -1;
  };
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** The version of a list that the server has not seen. */
const GUESSED = 'guessed';

const bytesOf = (packed: string | Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> =>
  typeof packed === 'string'
    ? Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0))
    : packed;

/** Lists that were shown lately: going back to one shows it at once. */
const REMEMBERED = 4;

class Layout {
  /** null until the first answer to the question that is asked now. */
  list = $state.raw<AssetList | null>(null);
  loading = $state(false);
  problem = $state.raw<Problem | null>(null);
  #asked: string | null = null;
  #filters: Filters = {};
  #known = new Map<string, AssetList>();
  #newest = new Newest();
  /** Something changed while a request was on its way: its answer may be older than that. */
  #again = false;

  /** Shows the assets that pass the filters; at once what is known, then what the server says. */
  async show(filters: Filters): Promise<void> {
    const asked = JSON.stringify(filters);
    if (asked !== this.#asked) {
      this.#newest.stop();
      this.#asked = asked;
      this.#filters = filters;
      this.list = this.#known.get(asked) ?? null;
      this.problem = null;
      this.loading = false;
    }
    await this.refresh();
  }

  /** Takes some out at once; what the server says comes after. */
  drop(ids: readonly string[]): void {
    if (this.list) this.list = this.list.without(new Set(ids));
  }

  /** Asks again; nothing moves when nothing has changed. */
  async refresh(): Promise<void> {
    if (this.loading) {
      this.#again = true;
      return;
    }
    const signal = this.#newest.begin();
    this.loading = true;
    do {
      this.#again = false;
      await this.#ask(signal);
    } while (this.#again && !signal.aborted);
    if (!signal.aborted) this.loading = false;
  }

  async #ask(signal: AbortSignal): Promise<void> {
    try {
      const found = this.list
        ? await fetchNewerLayout(this.#filters, this.list.version, signal)
        : await fetchLayout(this.#filters, false, signal);
      if (signal.aborted) return;
      if (found) this.#take(new AssetList(found.ids, found.aspects, found.days, found.version));
      this.problem = null;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
      this.problem = error;
    }
  }

  #take(list: AssetList): void {
    this.list = list;
    keepLast(this.#known, this.#asked ?? '', list, REMEMBERED);
  }
}

export const layout = new Layout();
