/** Which rows of a grid belong in the page: those seen, then those nearby, never too many at once. */
import { rowAt, type Geometry } from './justify';

/** Beyond what is seen, in heights of the window: scrolled to before they could be missed. */
const NEARBY = 0.6;
/** Of pictures in the page. A window of 4K shows about 150. */
const MOST_TILES = 440;
/** Of pictures that are made in one frame: more would make the scrolling stutter. */
const MOST_NEW_TILES = 10;

export interface Seen {
  /** Of the window's top in the grid; negative while the grid begins below it. */
  top_px: number;
  height_px: number;
}

/** Rows that should be in the page, those nearest to the middle of the window first. */
export function rowsNear(geometry: Geometry, seen: Seen): number[] {
  const rows = geometry.row_height.length;
  if (!rows) return [];
  const nearby_px = seen.height_px * NEARBY;
  const first = rowAt(geometry, seen.top_px - nearby_px);
  const last = rowAt(geometry, seen.top_px + seen.height_px + nearby_px);
  const middle = rowAt(geometry, seen.top_px + seen.height_px / 2);
  const near: number[] = [];
  let tiles = 0;
  for (let step = 0; step <= last - first; step += 1) {
    for (const row of step ? [middle + step, middle - step] : [middle]) {
      if (row < first || row > last) continue;
      tiles += tilesIn(geometry, row);
      if (tiles > MOST_TILES) return near;
      near.push(row);
    }
  }
  return near;
}

/**
 * The rows to have in the page after this frame: those of `wanted` that are there already, and as
 * many new ones, in their order, as one frame can bear. In reading order.
 */
export function nextRows(
  geometry: Geometry,
  present: readonly number[],
  wanted: readonly number[],
): number[] {
  const there = new Set(present);
  let made = 0;
  const next = wanted.filter((row) => {
    if (there.has(row)) return true;
    const tiles = tilesIn(geometry, row);
    if (made && made + tiles > MOST_NEW_TILES) {
      made = MOST_NEW_TILES;
      return false;
    }
    made += tiles;
    return true;
  });
  return next.sort((a, b) => a - b);
}

function tilesIn(geometry: Geometry, row: number): number {
  return (geometry.row_first[row + 1] ?? 0) - (geometry.row_first[row] ?? 0);
}
