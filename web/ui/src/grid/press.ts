/** A long press of a finger: begins a selection where a mouse would use Ctrl. */

/** As long as phones take for their own menus; shorter is taken for a slow tap. */
const LONG_MS = 450;
/** A finger is never quite still; farther is a scroll. */
const SLACK_PX = 10;

export class LongPress {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #from: { x: number; y: number } | null = null;
  /** The click that ends the press is not one. */
  #fired = false;

  constructor(readonly onpress: (target: Element) => void) {}

  down(event: PointerEvent): void {
    this.#fired = false;
    if (event.pointerType === 'mouse' || !(event.target instanceof Element)) return;
    const { target } = event;
    this.#from = { x: event.clientX, y: event.clientY };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#fired = true;
      this.onpress(target);
      navigator.vibrate?.(10);
    }, LONG_MS);
  }

  move(event: PointerEvent): void {
    if (!this.#from) return;
    const { x, y } = this.#from;
    if (Math.hypot(event.clientX - x, event.clientY - y) > SLACK_PX) this.cancel();
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#from = null;
  }

  /** True from a long press to the next touch: a menu of the browser would lie over what it began. */
  get held(): boolean {
    return this.#fired;
  }

  /** True once for the click that follows a long press. */
  swallows(): boolean {
    const fired = this.#fired;
    this.#fired = false;
    return fired;
  }
}
