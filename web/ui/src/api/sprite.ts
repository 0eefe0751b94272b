/** The sheet of small frames of a video. */
import { mediaUrl } from './media';
import type { AssetCard } from './types';

export interface Sprite {
  tile_width_px: number;
  tile_height_px: number;
  columns: number;
  /** When each tile was seen, row by row. */
  times_us: number[];
}

/** null while the sheet is not made yet. */
export async function loadSprite(card: AssetCard): Promise<Sprite | null> {
  const response = await fetch(mediaUrl(card, 'sprite.json')).catch(() => null);
  return response?.ok ? ((await response.json()) as Sprite) : null;
}

/** Number of the tile that shows `at_s`: the last one taken before. */
export function tileAt(sprite: Sprite, at_s: number): number {
  return Math.max(
    0,
    sprite.times_us.findLastIndex((time_us) => time_us <= at_s * 1e6),
  );
}

export interface SheetStyle {
  /** CSS `background-size` and `background-position` that show one tile of the sheet. */
  size: string;
  position: string;
}

/** Shows the tile at `at_s` in an element of the video's own shape. */
export function sheetStyle(sprite: Sprite, at_s: number): SheetStyle {
  const { columns, times_us } = sprite;
  const rows = Math.ceil(times_us.length / columns);
  const number = tileAt(sprite, at_s);
  const share = (place: number, places: number): number =>
    places > 1 ? (place / (places - 1)) * 100 : 0;
  return {
    size: `${columns * 100}% ${rows * 100}%`,
    position: `${share(number % columns, columns)}% ${share(Math.floor(number / columns), rows)}%`,
  };
}
