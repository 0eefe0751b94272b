import { expect, it } from 'vitest';
import { rangeOf, UNMARKED, withIn, withOut } from './marks';

it('marks from an in point to an out point', () => {
  expect(rangeOf(withOut(withIn(UNMARKED, 2), 5), 9)).toEqual({ start_s: 2, end_s: 5 });
});

it('runs to the end, or from the start, while one point is missing', () => {
  expect(rangeOf(withIn(UNMARKED, 2), 9)).toEqual({ start_s: 2, end_s: 9 });
  expect(rangeOf(withOut(UNMARKED, 5), 9)).toEqual({ start_s: 0, end_s: 5 });
  expect(rangeOf(UNMARKED, 9)).toBeNull();
});

it('never runs backwards: the older point goes', () => {
  expect(withIn({ in_s: 1, out_s: 5 }, 6)).toEqual({ in_s: 6, out_s: null });
  expect(withOut({ in_s: 4, out_s: 5 }, 3)).toEqual({ in_s: null, out_s: 3 });
});
