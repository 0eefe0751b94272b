/** The faces in the asset that is open in the viewer, and whether they are drawn on it. */
import { peopleApi, type AssetFaces, type Box, type FaceView } from '../api/people';
import { Problem } from '../api/problem';
import { keep, kept } from '../kept';

const SHOWN = 'dam.faces';

/** A face of a video is where its box is only about that long, to both sides. */
export const STILL_S = 0.2;

/** A box that a person drew; `at_s` says on which frame, null for a photo. */
export interface Drawn {
  box: Box;
  at_s: number | null;
}

class OpenFaces {
  /** null: not asked, or not answered yet. */
  answer = $state.raw<AssetFaces | null>(null);
  shown = $state(kept(SHOWN) === 'shown');
  /** A person is drawing a box around a face that was missed. */
  drawing = $state(false);
  /** The face that a dialog asks about; of one that was just drawn its place. */
  asked = $state.raw<FaceView | Drawn | null>(null);
  #asset: string | null = null;

  /** Those of this asset; none while it is not the one that was asked about. */
  of(asset: string): FaceView[] {
    return (this.answer?.faces ?? []).filter(({ asset_id }) => asset_id === asset);
  }

  /** Quietly: without its faces a picture can still be looked at. */
  async load(asset: string): Promise<void> {
    if (asset !== this.#asset) {
      this.#asset = asset;
      this.answer = null;
      this.drawing = false;
      this.asked = null;
    }
    try {
      const answer = await peopleApi.inAsset(asset);
      if (this.#asset === asset) this.answer = answer;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
  }

  toggle(): void {
    this.shown = !this.shown;
    this.drawing = false;
    keep(SHOWN, this.shown ? 'shown' : 'hidden');
  }

  draw(): void {
    this.drawing = !this.drawing;
  }
}

export const openFaces = new OpenFaces();

/** It is in the picture at this second, though perhaps not where its box is. */
export function isSeen({ at_s, start_s, end_s }: FaceView, now_s: number): boolean {
  if (at_s === null) return true;
  const from = Math.min(start_s ?? at_s, at_s - STILL_S);
  return now_s >= from && now_s <= Math.max(end_s ?? at_s, at_s + STILL_S);
}

/** It is where its box is. */
export function isThere({ at_s }: FaceView, now_s: number): boolean {
  return at_s === null || Math.abs(now_s - at_s) <= STILL_S;
}
