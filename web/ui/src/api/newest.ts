/** One question at a time: a newer one stops the older, so that answers never arrive in the wrong order. */

export class Newest {
  #request = new AbortController();

  /** The signal of a new question; that of the one before is aborted. */
  begin(): AbortSignal {
    this.stop();
    this.#request = new AbortController();
    return this.#request.signal;
  }

  /** An answer that is still to come is not wanted any more. */
  stop(): void {
    this.#request.abort();
  }
}
