/** What fingers, mouse and wheel do on a stage, told as pans, zooms, double taps and swipes. */
import type { Point } from './zoom';

export interface Gestures {
  /** One pointer moved by so much. */
  pan?: (by: Point, pointer: PointerEvent) => void;
  /** Wheel or two fingers: `factor` times as large, around `at` (from the stage's corner). */
  zoom?: (factor: number, at: Point) => void;
  tap?: (at: Point) => void;
  doubleTap?: (at: Point) => void;
  /** The last finger went up after it had moved by `by` in all. */
  release?: (by: Point, pointer: PointerEvent) => void;
}

/** A pointer that moves less was not meant to. */
const STILL_PX = 6;
/** Two taps farther apart in time or place are two single ones. */
const DOUBLE_MS = 320;
const DOUBLE_PX = 28;
/** Of a wheel's notch (100 px) about a fifth; a pinch on a touchpad sends far smaller numbers. */
const WHEEL_STEP = 0.002;
const TOUCHPAD_STEP = 0.012;
/** Wheels that count in lines (Firefox), not pixels. */
const LINE_PX = 33;

/** For `{@attach}`: the handlers are read at each event, so they may change. */
export function gestures(handlers: () => Gestures): (stage: HTMLElement) => () => void {
  return (stage) => {
    const follower = new Follower(stage, handlers);
    return follower.listen();
  };
}

class Follower {
  #stage: HTMLElement;
  #handlers: () => Gestures;
  #pointers = new Map<number, Point>();
  #moved: Point = { x: 0, y: 0 };
  /** True once this touch was more than a tap: it had two fingers or went somewhere. */
  #travelled = false;
  #pinched = false;
  #lastTap: { at: Point; ms: number } | null = null;

  constructor(stage: HTMLElement, handlers: () => Gestures) {
    this.#stage = stage;
    this.#handlers = handlers;
  }

  listen(): () => void {
    const stop = new AbortController();
    const { signal } = stop;
    this.#stage.addEventListener('pointerdown', this.#down, { signal });
    this.#stage.addEventListener('pointermove', this.#move, { signal });
    this.#stage.addEventListener('pointerup', this.#up, { signal });
    this.#stage.addEventListener('pointercancel', this.#cancel, { signal });
    // Not passive: the page must not scroll or zoom as well.
    this.#stage.addEventListener('wheel', this.#wheel, { signal, passive: false });
    return () => stop.abort();
  }

  #down = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    this.#stage.setPointerCapture(event.pointerId);
    if (!this.#pointers.size) {
      this.#moved = { x: 0, y: 0 };
      this.#travelled = this.#pinched = false;
    }
    this.#pointers.set(event.pointerId, this.#at(event));
    if (this.#pointers.size > 1) this.#travelled = this.#pinched = true;
  };

  #move = (event: PointerEvent): void => {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const now = this.#at(event);
    const by = { x: now.x - before.x, y: now.y - before.y };
    if (this.#pointers.size === 2) this.#pinch(event.pointerId, before, now);
    this.#pointers.set(event.pointerId, now);
    this.#moved = { x: this.#moved.x + by.x, y: this.#moved.y + by.y };
    const far = Math.hypot(this.#moved.x, this.#moved.y) > STILL_PX;
    // What was held back while it might have been a tap is made up for.
    const step = this.#travelled ? by : this.#moved;
    if (far) this.#travelled = true;
    if (!this.#travelled) return;
    const share = 1 / this.#pointers.size;
    this.#handlers().pan?.({ x: step.x * share, y: step.y * share }, event);
  };

  #pinch(moving: number, before: Point, now: Point): void {
    const other = [...this.#pointers].find(([id]) => id !== moving)?.[1];
    if (!other) return;
    const was = Math.hypot(before.x - other.x, before.y - other.y);
    const is = Math.hypot(now.x - other.x, now.y - other.y);
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    if (was > 0) this.#handlers().zoom?.(is / was, middle);
  }

  #up = (event: PointerEvent): void => {
    if (!this.#pointers.delete(event.pointerId) || this.#pointers.size) return;
    if (!this.#travelled) this.#tap(this.#at(event));
    else if (!this.#pinched) this.#handlers().release?.(this.#moved, event);
  };

  #cancel = (event: PointerEvent): void => {
    this.#pointers.delete(event.pointerId);
    if (!this.#pointers.size) this.#handlers().release?.({ x: 0, y: 0 }, event);
  };

  #tap(at: Point): void {
    const now_ms = performance.now();
    const last = this.#lastTap;
    const second =
      last !== null &&
      now_ms - last.ms < DOUBLE_MS &&
      Math.hypot(at.x - last.at.x, at.y - last.at.y) < DOUBLE_PX;
    this.#lastTap = second ? null : { at, ms: now_ms };
    if (second) this.#handlers().doubleTap?.(at);
    else this.#handlers().tap?.(at);
  }

  #wheel = (event: WheelEvent): void => {
    const { zoom } = this.#handlers();
    if (!zoom) return;
    event.preventDefault();
    const pixels =
      event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : event.deltaY * LINE_PX;
    // Browsers send the pinch of a touchpad as a wheel with Ctrl held.
    zoom(Math.exp(-pixels * (event.ctrlKey ? TOUCHPAD_STEP : WHEEL_STEP)), this.#at(event));
  };

  #at(event: MouseEvent): Point {
    const { left, top } = this.#stage.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }
}
