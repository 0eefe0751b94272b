import { expect, it } from 'vitest';
import { shuttled } from './shuttle';

it('doubles with each press up to eight times', () => {
  const speeds = [0];
  for (let press = 0; press < 5; press += 1) speeds.push(shuttled(speeds.at(-1) ?? 0, 1));
  expect(speeds).toEqual([0, 1, 2, 4, 8, 8]);
});

it('turns round at single speed', () => {
  expect(shuttled(4, -1)).toBe(-1);
  expect(shuttled(-8, 1)).toBe(1);
});
