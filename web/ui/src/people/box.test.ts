import { expect, it } from 'vitest';
import { boxBetween, grownBox, LEAST, movedBox } from './box';

it('draws a box from any corner to the opposite one', () => {
  const box = { left: 0.25, top: 0.5, width: 0.5, height: 0.25 };
  expect(boxBetween({ x: 0.25, y: 0.5 }, { x: 0.75, y: 0.75 })).toEqual(box);
  expect(boxBetween({ x: 0.75, y: 0.75 }, { x: 0.25, y: 0.5 })).toEqual(box);
});

it('ends a box at the edge of the picture', () => {
  expect(boxBetween({ x: 0.5, y: 0.5 }, { x: 1.4, y: -0.2 })).toEqual({
    left: 0.5,
    top: 0,
    width: 0.5,
    height: 0.5,
  });
});

it('moves and grows a box within the picture', () => {
  const box = { left: 0.5, top: 0.5, width: 0.25, height: 0.25 };
  expect(movedBox(box, { x: 0.5, y: -0.75 })).toEqual({ ...box, left: 0.75, top: 0 });
  expect(grownBox(box, { x: 0.5, y: -0.5 })).toEqual({ ...box, width: 0.5, height: LEAST });
});
