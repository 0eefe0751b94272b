import { expect, it } from 'vitest';
import { nextRows, rowsNear } from './rows';
import { squares } from './squares';

const GRID = squares(10_000);
const PER_ROW = GRID.row_first[1] ?? 0;

const tiles = (rows: readonly number[]): number => rows.length * PER_ROW;

it('wants the rows that are seen before those nearby', () => {
  const near = rowsNear(GRID, { top_px: 100_000, height_px: 800 });
  const middle = near[0] ?? 0;
  expect(GRID.row_top[middle]).toBeLessThanOrEqual(100_400);
  expect(near.map((row) => Math.abs(row - middle))).toEqual(
    near.map((row) => Math.abs(row - middle)).toSorted((a, b) => a - b),
  );
  expect(Math.min(...near)).toBeLessThan(middle - 2);
});

it('never wants more tiles than a page can bear, however high the window', () => {
  expect(tiles(rowsNear(GRID, { top_px: 0, height_px: 1_000_000 }))).toBeLessThanOrEqual(440);
});

it('wants nothing of an empty grid, and the first rows above it', () => {
  expect(rowsNear(squares(0), { top_px: 0, height_px: 800 })).toEqual([]);
  expect(rowsNear(GRID, { top_px: -600, height_px: 800 })).toContain(0);
});

it('makes few new rows in a frame and comes to all of them', () => {
  const wanted = rowsNear(GRID, { top_px: 50_000, height_px: 1200 });
  let present: number[] = [];
  let frames = 0;
  while (present.length < wanted.length) {
    const next = nextRows(GRID, present, wanted);
    expect(tiles(next) - tiles(present)).toBeLessThanOrEqual(10);
    expect(next.length).toBeGreaterThan(present.length);
    present = next;
    frames += 1;
  }
  expect(frames).toBeGreaterThan(1);
  expect(present).toEqual(present.toSorted((a, b) => a - b));
});

it('lets go of what is far away and keeps what is there', () => {
  const kept = nextRows(GRID, [1, 2, 3, 500], [2, 3]);
  expect(kept).toEqual([2, 3]);
});
