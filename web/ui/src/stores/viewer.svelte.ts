/** The viewer: the list it walks, the one asset that is open, and what a person says about it. */
import { mediaUrl } from '../api/media';
import { Problem } from '../api/problem';
import type { AssetDetail, Hit, Verdict } from '../api/types';
import { changeAsset, readAsset, type AssetChanges } from '../api/viewer';
import { workApi } from '../api/work';
import { keepLast } from '../keepLast';
import { saying } from '../saying';
import { cards } from './cards.svelte';
import { changes } from './changes.svelte';
import { toasts } from './toasts.svelte';

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

/** The fields of an asset that can be written over. */
export type EditedField = 'title' | 'caption' | 'rating';

const NAMES: Record<EditedField, string> = {
  title: 'Title',
  caption: 'Caption',
  rating: 'Rating',
};

class OpenAsset {
  asset = $state.raw<AssetDetail | null>(null);
  /** Why it cannot be shown. What goes wrong with a change is said as a message. */
  problem = $state.raw<Problem | null>(null);
  #id: string | null = null;
  /** The oldest first. Shown at once and then asked for again: another may have changed it. */
  #known = new Map<string, AssetDetail>();
  /** Counts what was changed: an answer that was asked for before a change may not know of it. */
  #changes = 0;

  async load(id: string): Promise<void> {
    this.#id = id;
    this.asset = this.#known.get(id) ?? null;
    this.problem = null;
    try {
      this.#take(await this.#read(id));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (this.#id === id) this.problem = error;
    }
  }

  /** Reads an asset that will probably be next, and its picture. A failure is told when it is opened. */
  async preload(id: string): Promise<void> {
    if (this.#known.has(id)) return;
    try {
      const asset = await this.#read(id);
      this.#remember(asset);
      const { kind } = asset.card;
      if (kind !== 'audio')
        new Image().src = mediaUrl(asset.card, kind === 'video' ? 'poster' : 'preview');
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
  }

  /** Asks again, quietly: work goes on behind it. */
  async refresh(): Promise<void> {
    const id = this.#id;
    try {
      if (id) this.#take(await this.#read(id));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
  }

  /** Approves or rejects a tag; null takes the decision back. An unknown word is added. */
  async decide(word: string, verdict: Verdict | null): Promise<boolean> {
    const { asset } = this;
    if (!asset) return false;
    const before = asset.tags.find((tag) => tag.word === word)?.verdict ?? null;
    const decide = (to: string | null): AssetChanges => ({
      tags: [{ word, verdict: to as Verdict | null }],
    });
    const said = verdict ?? 'left open';
    return this.#change(asset.card.id, decide(verdict), `“${word}” ${said}`, decide(before));
  }

  /** Writes over what the file says; null takes that back. */
  async edit(field: EditedField, value: string | number | null): Promise<boolean> {
    const { asset } = this;
    if (!asset) return false;
    const back = { [field]: before(asset, field) };
    return this.#change(asset.card.id, { [field]: value }, editedWords(field, value), back);
  }

  /** Puts the asset into the trash, or takes it out. The original is not touched. */
  async trash(trashed: boolean): Promise<boolean> {
    const { asset } = this;
    if (!asset) return false;
    const said = trashed ? 'Moved to the trash' : 'Taken out of the trash';
    return this.#change(asset.card.id, { trashed }, said, { trashed: !trashed });
  }

  /** Has an indexer look again at what it failed with. */
  async retry(run_id: string): Promise<void> {
    const { asset } = this;
    if (!asset) return;
    await saying(async () => {
      await workApi.retry([run_id]);
      this.#take(await this.#read(asset.card.id));
      toasts.say('It is tried again');
    });
  }

  async #read(id: string): Promise<AssetDetail> {
    for (;;) {
      const before = this.#changes;
      const asset = await readAsset(id);
      if (before === this.#changes) return asset;
    }
  }

  /** False when the server refused; it has been said why. */
  async #change(
    id: string,
    wanted: AssetChanges,
    said: string,
    back: AssetChanges | null,
  ): Promise<boolean> {
    try {
      const asset = await changeAsset(id, wanted);
      this.#changes += 1;
      this.#take(asset);
      // The list behind shows it, too.
      cards.refresh([id]);
      changes.made += 1;
      const undo = back && (async () => void (await this.#change(id, back, 'Taken back', null)));
      toasts.say(said, { undo });
      return true;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      toasts.say(`That was not saved. ${error.message}`);
      return false;
    }
  }

  /** An answer about an asset that was left meanwhile is kept, but not shown. */
  #take(asset: AssetDetail): void {
    this.#remember(asset);
    if (this.#id === asset.card.id) this.asset = asset;
  }

  #remember(asset: AssetDetail): void {
    keepLast(this.#known, asset.card.id, asset, REMEMBERED);
  }
}

function editedWords(field: EditedField, value: string | number | null): string {
  if (value === null) return `${NAMES[field]} as the file has it`;
  if (typeof value === 'string') return `${NAMES[field]} ${value ? 'changed' : 'removed'}`;
  return value < 0 ? 'Rejected' : value === 0 ? 'Rating removed' : `Rated ${'★'.repeat(value)}`;
}

/** What to write so that a field is as it is now: null where the file speaks. */
function before(asset: AssetDetail, field: EditedField): string | number | null {
  if (!asset.edited.includes(field)) return null;
  if (field === 'rating') return asset.card.rating ?? 0;
  return (field === 'title' ? asset.card.title : asset.caption) ?? '';
}

export const openAsset = new OpenAsset();
