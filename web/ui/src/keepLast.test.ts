import { expect, it } from 'vitest';
import { keepLast } from './keepLast';

it('forgets what was kept longest ago, counting anew what is kept again', () => {
  const map = new Map<string, number>();
  for (const [i, key] of ['a', 'b', 'a', 'c'].entries()) keepLast(map, key, i, 2);
  expect([...map]).toEqual([
    ['a', 2],
    ['c', 3],
  ]);
});
