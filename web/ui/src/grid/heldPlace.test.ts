import { expect, it } from 'vitest';
import { HeldPlace } from './heldPlace';
import { squares } from './squares';

const id = (index: number): string => String(index);

it('moves the window with the picture at its top when two rows come before it', () => {
  const place = new HeldPlace();
  const before = squares(100);
  place.hold(before, 1000, id);
  const shift_px = place.shift_px(squares(110), 1000, (asset) => Number(asset) + 10);
  expect(shift_px).toBeCloseTo((before.row_top[2] ?? 0) - (before.row_top[0] ?? 0));
});

it('moves nothing above the grid, or when the picture has gone', () => {
  const place = new HeldPlace();
  place.hold(squares(100), -20, id);
  expect(place.shift_px(squares(110), -20, Number)).toBe(0);
  place.hold(squares(100), 1000, id);
  expect(place.shift_px(squares(90), 1000, () => -1)).toBe(0);
});
