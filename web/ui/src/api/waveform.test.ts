import { expect, it } from 'vitest';
import { barsOf } from './waveform';

it('gives each bar the loudest of its share of the time', () => {
  expect(barsOf([0, 20, 100, 50], 2)).toEqual([0.2, 1]);
  expect(barsOf([0, 100], 4)).toEqual([0, 0, 1, 1]);
});

it('draws what is never loud as quiet as it is, and nothing of nothing', () => {
  expect(barsOf([3, 3], 2)).toEqual([0.25, 0.25]);
  expect(barsOf([], 2)).toEqual([0, 0]);
});
