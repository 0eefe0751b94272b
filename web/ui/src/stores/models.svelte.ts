/** The models and their downloads, asked for again while one runs. */
import { modelsApi, type Model } from '../api/models';
import { Polling } from '../api/polling';
import { Problem } from '../api/problem';

const PERIOD_MS = 1000;
/** Models also come and go through the command line. */
const IDLE_PERIOD_MS = 10_000;

class Models {
  /** null until the server has answered once. */
  list = $state.raw<Model[] | null>(null);
  problem = $state.raw<Problem | null>(null);
  #polling = new Polling(
    (signal) => this.#ask(signal),
    () => (this.list?.some(({ state }) => state === 'downloading') ? PERIOD_MS : IDLE_PERIOD_MS),
  );

  /** Asks until the page that shows them is left. */
  follow(): () => void {
    return this.#polling.follow();
  }

  async load(): Promise<void> {
    await this.#polling.now();
  }

  async #ask(signal: AbortSignal): Promise<void> {
    try {
      const list = await modelsApi.list();
      if (signal.aborted) return;
      this.list = list;
      this.problem = null;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (!signal.aborted) this.problem = error;
    }
  }
}

export const models = new Models();
