/** The viewer: the list it walks, the one asset that is open, and what a person says about it. */
import { api } from '../api/client';
import { mediaUrl } from '../api/media';
import { Problem } from '../api/problem';
import type { AssetDetail, Hit, Verdict } from '../api/types';

/** The list behind the viewer, set by the page that shows it. */
export interface Walk {
  readonly count: number;
  at(index: number): string | null;
  /** -1 when it is not in the list. */
  indexOf(id: string): number;
  /** Where and why an asset was found; absent in a list that was not searched for. */
  hit?(id: string): Hit | null;
  /** Puts the focus on the asset that was seen last, when the viewer closes. */
  reveal?(id: string): void;
}

class Viewer {
  /** null: the open asset stands alone, as when it came by a link. */
  walk = $state.raw<Walk | null>(null);
}

export const viewer = new Viewer();

/** Assets read lately; more would only hold memory, for a walk goes to the neighbours. */
const REMEMBERED = 24;

class OpenAsset {
  asset = $state.raw<AssetDetail | null>(null);
  problem = $state.raw<Problem | null>(null);
  #id: string | null = null;
  /** The oldest first. Shown at once and then asked for again: another may have changed it. */
  #known = new Map<string, AssetDetail>();

  async load(id: string): Promise<void> {
    this.#id = id;
    this.asset = this.#known.get(id) ?? null;
    this.problem = null;
    await this.#take(id, api.asset(id));
  }

  /** Reads an asset that will probably be next, and its picture. A failure is told when it is opened. */
  async preload(id: string): Promise<void> {
    if (this.#known.has(id)) return;
    try {
      const asset = await api.asset(id);
      this.#remember(asset);
      const picture = { photo: 'preview', video: 'poster' }[asset.card.kind];
      if (picture) new Image().src = mediaUrl(asset.card, picture as 'preview' | 'poster');
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
  }

  /** Approves or rejects a tag; null takes the decision back. An unknown word is added. */
  async decide(word: string, verdict: Verdict | null): Promise<void> {
    const { asset } = this;
    if (asset) await this.#take(asset.card.id, api.decide(asset.card.id, word, verdict));
  }

  /** An answer about an asset that was left meanwhile is not shown. */
  async #take(id: string, answer: Promise<AssetDetail>): Promise<void> {
    try {
      const asset = await answer;
      this.#remember(asset);
      if (this.#id === id) this.asset = asset;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (this.#id === id) this.problem = error;
    }
  }

  #remember(asset: AssetDetail): void {
    this.#known.delete(asset.card.id);
    this.#known.set(asset.card.id, asset);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= REMEMBERED) break;
      this.#known.delete(oldest);
    }
  }
}

export const openAsset = new OpenAsset();
