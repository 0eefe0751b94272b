/** Asks again and again while somebody looks: one question at a time, the next a while after its answer. */
import { Newest } from './newest';

export class Polling {
  #ask: (signal: AbortSignal) => Promise<void>;
  #period_ms: () => number;
  #newest = new Newest();
  #followers = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `ask` takes no answer once its signal is aborted. `period_ms` is asked after each answer. */
  constructor(ask: (signal: AbortSignal) => Promise<void>, period_ms: () => number) {
    this.#ask = ask;
    this.#period_ms = period_ms;
  }

  /** Asks until what it returns is called. */
  follow(): () => void {
    this.#followers += 1;
    void this.now();
    return () => {
      this.#followers -= 1;
      if (!this.#followers) clearTimeout(this.#timer);
    };
  }

  /** Asks at once, also when nobody follows; an answer that is on its way is older and is dropped. */
  async now(): Promise<void> {
    const signal = this.#newest.begin();
    clearTimeout(this.#timer);
    await this.#ask(signal);
    if (signal.aborted || !this.#followers) return;
    this.#timer = setTimeout(() => void this.now(), this.#period_ms());
  }
}
