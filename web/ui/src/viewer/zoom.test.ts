import { describe, expect, it } from 'vitest';
import { closeScale, panned, placeOf, zoomedTo, type View } from './zoom';

const picture = { width: 4000, height: 3000 };
const stage = { width: 1000, height: 600 };
const middle: View = { scale: 1, centre: { x: 0.5, y: 0.5 } };

it('fits and centres the whole picture', () => {
  expect(placeOf(null, picture, stage)).toEqual({ x: 100, y: 0, width: 800, height: 600 });
});

describe('zoomedTo', () => {
  it('keeps the point under the pointer where it is', () => {
    // In the fitted view this is the picture's point (1000, 1500).
    const at = { x: 300, y: 300 };
    const { x, y } = placeOf(zoomedTo(1, at, null, picture, stage, 1), picture, stage);
    expect(at.x - x).toBeCloseTo(1000);
    expect(at.y - y).toBeCloseTo(1500);
  });

  it('ends at the fitted view, which is no view of its own', () => {
    expect(zoomedTo(0.01, { x: 9, y: 9 }, middle, picture, stage, 1)).toBeNull();
  });

  it('ends at eight screen pixels for a picture pixel', () => {
    expect(zoomedTo(99, { x: 9, y: 9 }, middle, picture, stage, 0.5)?.scale).toBe(4);
  });

  it('goes back to the own pixels of a picture that was enlarged to fit', () => {
    const small = { width: 100, height: 60 };
    expect(zoomedTo(0.1, { x: 0, y: 0 }, null, small, stage, 1)?.scale).toBe(1);
  });
});

describe('panned', () => {
  it('moves the picture with the hand', () => {
    const before = placeOf(middle, picture, stage);
    const after = placeOf(panned(middle, { x: 30, y: -20 }, picture, stage), picture, stage);
    expect(after.x - before.x).toBeCloseTo(30);
    expect(after.y - before.y).toBeCloseTo(-20);
  });

  it('stops at the edge and comes back at once', () => {
    const edge = panned(middle, { x: 9999, y: 0 }, picture, stage);
    expect(placeOf(edge, picture, stage).x).toBe(0);
    expect(placeOf(panned(edge, { x: -10, y: 0 }, picture, stage), picture, stage).x).toBeCloseTo(
      -10,
    );
  });
});

it('goes twice as close where the fitted view shows the own pixels already', () => {
  expect(closeScale({ width: 1000, height: 600 }, stage, 1)).toBe(2);
  expect(closeScale(picture, stage, 1)).toBe(1);
});
