import { expect, it } from 'vitest';
import { AssetList } from './layout.svelte';

const id = (n: number): string => n.toString(16).padStart(20, '0');
const packed = (bytes: number[]): string => btoa(String.fromCharCode(...bytes));

/** Five assets: three of one day, one of another, one without a date and without a shape. */
function list(): AssetList {
  const ids = [1, 2, 3, 4, 255].flatMap((n) => [0, 0, 0, 0, 0, 0, 0, 0, 0, n]);
  const aspects = [1500, 667, 1000, 1778, 0].flatMap((n) => [n & 255, n >> 8]);
  return new AssetList(
    packed(ids),
    packed(aspects),
    [
      ['2024-06-02', 3],
      ['2024-06-01', 1],
      [null, 1],
    ],
    'v1',
  );
}

it('unpacks ids, shapes and days', () => {
  const { count, days, aspect } = list();
  expect(count).toBe(5);
  expect([0, 4].map(list().id)).toEqual([id(1), id(255)]);
  expect([0, 1, 3].map(aspect)).toEqual([1.5, 0.667, 1.778]);
  expect(aspect(4)).toBeGreaterThan(1);
  expect(days).toEqual([
    { date: '2024-06-02', start: 0, count: 3 },
    { date: '2024-06-01', start: 3, count: 1 },
    { date: null, start: 4, count: 1 },
  ]);
});

it('finds an asset, and says when it has none', () => {
  expect(list().indexOf(id(4))).toBe(3);
  expect(list().indexOf(id(9))).toBe(-1);
  expect(list().indexOf('no id')).toBe(-1);
});

it('closes the gap of what has gone, and of a day with nothing left', () => {
  const left = list().without(new Set([id(2), id(4)]));
  expect([0, 1, 2].map(left.id)).toEqual([id(1), id(3), id(255)]);
  expect([0, 1].map(left.aspect)).toEqual([1.5, 1]);
  expect(left.days).toEqual([
    { date: '2024-06-02', start: 0, count: 2 },
    { date: null, start: 2, count: 1 },
  ]);
});
