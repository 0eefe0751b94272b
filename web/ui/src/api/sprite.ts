/** The sheet of small frames of a video. */
import { mediaUrl } from './media';
import type { AssetCard } from './types';

export interface SpriteTile {
  start_s: number;
  end_s: number;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Sprite {
  width_px: number;
  height_px: number;
  tiles: SpriteTile[];
}

/** null while the sheet is not made yet, and for what has none. */
export async function loadSprite(card: AssetCard): Promise<Sprite | null> {
  const response = await fetch(mediaUrl(card, 'sprite.json')).catch(() => null);
  if (!response?.ok) return null;
  const { tiles } = (await response.json()) as { tiles: SpriteTile[] };
  return {
    tiles,
    width_px: Math.max(0, ...tiles.map(({ x, width }) => x + width)),
    height_px: Math.max(0, ...tiles.map(({ y, height }) => y + height)),
  };
}
