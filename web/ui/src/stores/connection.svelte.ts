/** Whether the server answers. Set by every request, shown as one banner. */

/** A page that is still there after this stays: a person chose not to leave. */
const LEAVING_MS = 2000;

class Connection {
  #lost = $state(false);
  /** The page goes away, and its requests with it: that is no loss to tell of. */
  #leaving = false;

  constructor() {
    // Not there where modules are tested outside of a browser.
    globalThis.addEventListener?.('beforeunload', () => {
      this.#leaving = true;
      setTimeout(() => (this.#leaving = false), LEAVING_MS);
    });
  }

  get lost(): boolean {
    return this.#lost;
  }

  set lost(lost: boolean) {
    this.#lost = lost && !this.#leaving;
  }
}

export const connection = new Connection();
