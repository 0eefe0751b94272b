/**
 * A recording that is played: where it stands, how fast it runs, what is marked.
 *
 * Browsers play forwards only; backwards is one seek after another, as fast as they are done.
 */
import { keep, kept } from '../kept';
import { rangeOf, UNMARKED, withIn, withOut, type Marks, type Range } from './marks';
import { shuttled } from './shuttle';
import { frameAt, frameStart_s, stepped_s, type FrameRate } from './timecode';

/** Marks of this visit, by asset: walking on and back keeps them. */
const marked = new Map<string, Marks>();

const VOLUME = 'dam.volume';
const MUTED = 'dam.muted';

export class Playback {
  now_s = $state(0);
  /** Multiples of the own speed; negative backwards; 0 while it stands. */
  speed = $state(0);
  looping = $state(false);
  volume = $state(Number(kept(VOLUME) ?? 1));
  muted = $state(kept(MUTED) === 'true');
  marks = $state.raw<Marks>(UNMARKED);
  /** As the file states it; else as the player finds it. 0: not known yet. */
  length_s = $state(0);
  /** null for sound, and for a video whose rate is unknown. */
  readonly rate: FrameRate | null;
  /** What is marked; null when nothing is. */
  range: Range | null = $derived.by(() => rangeOf(this.marks, this.length_s));

  #asset: string;
  #media: HTMLMediaElement | null = null;
  /** Where to go when the seek that is under way is done; the newest wish alone counts. */
  #wanted_s: number | null = null;
  #tick: number | null = null;
  #ticked_ms = 0;
  /** K is down: J and L step single frames. */
  holding = false;
  /** Only what is marked is played: it ends at the out point. */
  #rangeAlone = false;

  constructor(asset: string, length_s: number, rate: FrameRate | null) {
    this.#asset = asset;
    this.length_s = length_s;
    this.rate = rate;
    this.marks = marked.get(asset) ?? UNMARKED;
  }

  /** For `{@attach}` on the media element. */
  attach = (media: HTMLMediaElement): (() => void) => {
    this.#media = media;
    media.volume = this.volume;
    media.muted = this.muted;
    const stop = new AbortController();
    const { signal } = stop;
    media.addEventListener('loadedmetadata', () => (this.length_s ||= media.duration), { signal });
    media.addEventListener('timeupdate', () => this.#look(), { signal });
    media.addEventListener('seeked', () => this.#seekOn(), { signal });
    media.addEventListener('ended', () => this.#ended(), { signal });
    // Headphones, the system's media keys and the browser start and stop it, too.
    media.addEventListener('pause', () => this.speed > 0 && !media.ended && this.#stood(), {
      signal,
    });
    media.addEventListener('play', () => this.speed <= 0 && this.#runs(1), { signal });
    return () => {
      stop.abort();
      this.#stood();
      this.#media = null;
    };
  };

  /** Goes there; while an earlier seek is under way, right after it. */
  seek(second: number): void {
    const { length_s } = this;
    this.now_s = length_s ? Math.min(length_s, Math.max(0, second)) : Math.max(0, second);
    if (!this.#media) return;
    if (this.#media.seeking) {
      this.#wanted_s = this.now_s;
      return;
    }
    // The seek before is done though its event has not come yet: its wish is older than this one.
    this.#wanted_s = null;
    this.#media.currentTime = this.now_s;
  }

  playFrom(second: number): void {
    this.seek(second);
    this.#run(1);
  }

  playOrPause(): void {
    if (this.speed) this.pause();
    else this.#play();
  }

  pause(): void {
    this.#stood();
    this.#media?.pause();
  }

  /** L (1) or J (-1); with K held one frame instead. */
  shuttle(direction: 1 | -1): void {
    if (this.holding) this.step(direction);
    else this.#run(shuttled(this.speed, direction));
  }

  /** K goes down or up. */
  hold(down: boolean): void {
    if (down && !this.holding) this.pause();
    this.holding = down;
  }

  /** So many frames on, or back; it stands then. */
  step(frames: number): void {
    this.pause();
    this.seek(stepped_s(this.now_s, frames, this.rate, this.length_s));
  }

  markIn(): void {
    this.#mark(withIn(this.marks, this.#frameStart_s()));
  }

  markOut(): void {
    this.#mark(withOut(this.marks, this.#frameStart_s()));
  }

  unmark(): void {
    this.looping = false;
    this.#mark(UNMARKED);
  }

  toggleLoop(): void {
    this.looping = !this.looping;
  }

  /** Plays what is marked, from its in point; it ends at the out point, or begins anew. */
  playRange(): void {
    if (!this.range) return;
    this.playFrom(this.range.start_s);
    this.#rangeAlone = true;
  }

  setVolume(volume: number): void {
    this.volume = volume;
    keep(VOLUME, String(volume));
    if (this.#media) this.#media.volume = volume;
    this.setMuted(volume === 0);
  }

  setMuted(muted: boolean): void {
    this.muted = muted;
    keep(MUTED, String(muted));
    if (this.#media) this.#media.muted = muted;
  }

  #mark(marks: Marks): void {
    this.marks = marks;
    marked.set(this.#asset, marks);
  }

  /** A mark stands between two frames: before the one that is seen. */
  #frameStart_s(): number {
    return this.rate ? frameStart_s(frameAt(this.now_s, this.rate), this.rate) : this.now_s;
  }

  #play(): void {
    const { range, now_s, length_s } = this;
    const outside = range && (now_s < range.start_s || now_s >= range.end_s);
    if (this.looping && range && outside) this.seek(range.start_s);
    else if (length_s && now_s >= length_s - 0.05) this.seek(0);
    this.#run(1);
  }

  #run(speed: number): void {
    const media = this.#media;
    if (!media) return;
    this.#runs(speed);
    if (speed < 0) {
      media.pause();
      return;
    }
    media.playbackRate = speed;
    // Sound may not start before a person has touched the page (opened from a link): then it
    // stands at the moment and waits for the play button.
    media.play().catch((error: unknown) => {
      if (!(error instanceof DOMException)) throw error;
      if (error.name === 'NotAllowedError') this.#stood();
    });
  }

  #runs(speed: number): void {
    this.#rangeAlone = false;
    this.speed = speed;
    this.#ticked_ms = performance.now();
    this.#tick ??= requestAnimationFrame(this.#onTick);
  }

  #stood(): void {
    this.speed = 0;
    if (this.#tick !== null) cancelAnimationFrame(this.#tick);
    this.#tick = null;
  }

  #onTick = (at_ms: number): void => {
    this.#tick = requestAnimationFrame(this.#onTick);
    const passed_s = Math.max(0, at_ms - this.#ticked_ms) / 1000;
    this.#ticked_ms = at_ms;
    if (this.speed < 0) this.#runBack(passed_s);
    else this.#look();
  };

  #runBack(passed_s: number): void {
    const start_s = this.looping && this.range ? this.range.start_s : 0;
    const next_s = this.now_s + this.speed * passed_s;
    if (next_s > start_s) this.seek(next_s);
    else if (this.looping) this.seek(this.range?.end_s ?? this.length_s);
    else {
      this.pause();
      this.seek(0);
    }
  }

  /** Reads where the media stand, unless they are still on their way. */
  #look(): void {
    const media = this.#media;
    if (!media || media.seeking || this.#wanted_s !== null) return;
    const before_s = this.now_s;
    this.now_s = media.currentTime;
    const end_s = this.range?.end_s;
    if (this.speed <= 0 || end_s === undefined) return;
    // Only what runs over the out point is turned back: behind it a person may look around.
    if (before_s < end_s && this.now_s >= end_s) this.#atOut();
  }

  #atOut(): void {
    if (!this.range) return;
    if (this.looping) this.seek(this.range.start_s);
    else if (this.#rangeAlone) {
      this.pause();
      this.seek(this.range.end_s);
    }
  }

  #seekOn(): void {
    const next_s = this.#wanted_s;
    this.#wanted_s = null;
    if (next_s !== null && this.#media) this.#media.currentTime = next_s;
    else this.#look();
  }

  #ended(): void {
    const speed = this.speed;
    this.#stood();
    if (!this.looping) return;
    this.seek(this.range?.start_s ?? 0);
    this.#run(speed > 0 ? speed : 1);
  }
}
