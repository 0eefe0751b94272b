/** The models and their downloads, asked for again while one runs. */
import { modelsApi, type Model } from '../api/models';
import { Problem } from '../api/problem';

const PERIOD_MS = 1000;
/** Models also come and go through the command line. */
const IDLE_PERIOD_MS = 10_000;

class Models {
  /** null until the server has answered once. */
  list = $state.raw<Model[] | null>(null);
  problem = $state.raw<Problem | null>(null);

  /** Asks until the page that shows them is left. */
  follow(): () => void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let left = false;
    const look = async (): Promise<void> => {
      await this.load();
      const busy = this.list?.some(({ state }) => state === 'downloading') ?? false;
      if (!left) timer = setTimeout(() => void look(), busy ? PERIOD_MS : IDLE_PERIOD_MS);
    };
    void look();
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }

  async load(): Promise<void> {
    try {
      this.list = await modelsApi.list();
      this.problem = null;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.problem = error;
    }
  }
}

export const models = new Models();
