import { expect, it } from 'vitest';
import { inNextRow, justify, rowAt, rowOf, type Section, type Spacing } from './justify';

const SPACING: Spacing = {
  width_px: 1000,
  row_px: 200,
  gap_px: 4,
  section_gap_px: 20,
  heading_px: 48,
  caption_px: 0,
  least_section_px: 150,
};

const whole = (count: number): Section[] => [{ start: 0, count, titled: false }];
const days = (...counts: number[]): Section[] => {
  let start = 0;
  return counts.map((count) => ({ start: (start += count) - count, count, titled: true }));
};
const mixed = (i: number): number => [1.5, 0.67, 1.78, 1, 1.33][i % 5] ?? 1;

it('fills every row but the last to the width, near the wanted height', () => {
  const placed = justify(200, mixed, whole(200), SPACING);
  const rows = placed.row_height.length;
  expect(rows).toBeGreaterThan(30);
  for (let row = 0; row < rows - 1; row += 1) {
    const last = (placed.row_first[row + 1] ?? 0) - 1;
    expect((placed.left[last] ?? 0) + (placed.width[last] ?? 0)).toBeCloseTo(1000, 1);
    expect(placed.row_height[row]).toBeGreaterThan(140);
    expect(placed.row_height[row]).toBeLessThan(290);
  }
});

it('places every picture once, below each other without overlap', () => {
  const placed = justify(77, mixed, days(3, 40, 1, 1, 32), SPACING);
  const rows = placed.row_height.length;
  expect(placed.row_first[0]).toBe(0);
  expect(placed.row_first[rows]).toBe(77);
  for (let row = 1; row < rows; row += 1) {
    const above = (placed.row_top[row - 1] ?? 0) + (placed.row_height[row - 1] ?? 0);
    expect(placed.row_top[row]).toBeGreaterThan(above);
    expect(placed.row_first[row]).toBeGreaterThan(placed.row_first[row - 1] ?? 0);
  }
  for (let i = 0; i < 77; i += 1) expect(placed.width[i]).toBeGreaterThan(0);
});

it('sets short days side by side, each with room for its heading', () => {
  const placed = justify(4, () => 0.6, days(1, 1, 2), SPACING);
  expect(placed.row_height.length).toBe(1);
  expect([...placed.section_left]).toEqual([0, 170, 340]);
  expect(placed.left[1]).toBe(170);
});

it('gives a day that needs more than a row rows of its own', () => {
  const placed = justify(12, () => 1.5, days(1, 10, 1), SPACING);
  expect([...placed.section_row]).toEqual([0, 1, 5]);
  expect(placed.row_top[0]).toBe(48);
});

it('cuts a panorama so that it leaves room for others', () => {
  const placed = justify(3, () => 40, whole(3), SPACING);
  expect(placed.row_height[0]).toBeGreaterThan(150);
});

it('finds rows by place and by picture', () => {
  const placed = justify(100, mixed, whole(100), SPACING);
  expect(rowAt(placed, -50)).toBe(0);
  expect(rowAt(placed, (placed.row_top[7] ?? 0) + 1)).toBe(7);
  expect(rowOf(placed, placed.row_first[7] ?? 0)).toBe(7);
  expect(rowOf(placed, (placed.row_first[8] ?? 0) - 1)).toBe(7);
});

it('goes up and down to the nearest picture and stays at the ends', () => {
  const placed = justify(20, () => 1, whole(20), SPACING);
  expect(inNextRow(placed, 1, 1)).toBe(1 + (placed.row_first[1] ?? 0));
  expect(inNextRow(placed, 1, -1)).toBe(1);
});

it('has no height with nothing in it', () => {
  expect(justify(0, mixed, [], SPACING).height_px).toBe(0);
});
