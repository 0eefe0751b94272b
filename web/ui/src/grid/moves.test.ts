import { expect, it } from 'vitest';
import { moved } from './moves';
import { squares } from './squares';

const GRID = squares(23);

const from = (index: number, key: string): number | null => moved(key, index, GRID, 3);

it('walks along a row, over rows, over screens and to the ends', () => {
  expect(from(7, 'ArrowLeft')).toBe(6);
  expect(from(7, 'ArrowRight')).toBe(8);
  expect(from(7, 'ArrowUp')).toBe(2);
  expect(from(7, 'ArrowDown')).toBe(12);
  expect(from(2, 'PageDown')).toBe(17);
  expect(from(17, 'PageUp')).toBe(2);
  expect(from(7, 'Home')).toBe(0);
  expect(from(7, 'End')).toBe(22);
});

it('stays where it is at an end', () => {
  expect(from(0, 'ArrowLeft')).toBe(0);
  expect(from(22, 'ArrowRight')).toBe(22);
  expect(from(1, 'ArrowUp')).toBe(1);
});

it('leaves other keys alone', () => {
  expect(from(7, 'x')).toBeNull();
});
