/** The one asset that is open: everything known about it, and what a person decides about it. */
import { api } from '../api/client';
import { Problem } from '../api/problem';
import type { AssetDetail, Verdict } from '../api/types';

class OpenAsset {
  asset = $state.raw<AssetDetail | null>(null);
  problem = $state.raw<Problem | null>(null);
  #id: string | null = null;

  async load(id: string): Promise<void> {
    if (this.asset?.card.id !== id) this.asset = null;
    this.problem = null;
    this.#id = id;
    await this.#take(id, api.asset(id));
  }

  /** Approves or rejects a tag; null takes the decision back. An unknown word is added. */
  async decide(word: string, verdict: Verdict | null): Promise<void> {
    const { asset } = this;
    if (asset) await this.#take(asset.card.id, api.decide(asset.card.id, word, verdict));
  }

  /** An answer about an asset that was left meanwhile is dropped. */
  async #take(id: string, answer: Promise<AssetDetail>): Promise<void> {
    try {
      const asset = await answer;
      if (this.#id === id) this.asset = asset;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (this.#id === id) this.problem = error;
    }
  }
}

export const openAsset = new OpenAsset();
