import { describe, expect, it } from 'vitest';
import { lanesOf, markBeside } from './soundLanes';

const event = (label: string, start_s: number, end_s: number, confidence = 0.5) => ({
  label,
  start_s,
  end_s,
  confidence,
});

describe('lanesOf', () => {
  it('gives each sound a lane, what is heard longest first', () => {
    const lanes = lanesOf([event('Dog', 0, 1), event('Rain', 0, 9), event('Dog', 5, 6)], 0.1);
    expect(lanes.map(({ label, marks }) => [label, marks.length])).toEqual([
      ['Rain', 1],
      ['Dog', 2],
    ]);
  });

  it('makes one mark of those too near to be told apart', () => {
    const near = [event('Dog', 0, 4, 0.5), event('Dog', 2, 3, 0.9), event('Dog', 4.5, 5)];
    expect(lanesOf([...near, event('Dog', 9, 10)], 1)).toEqual([
      {
        label: 'Dog',
        marks: [
          { start_s: 0, end_s: 5, confidence: 0.9, times: 3 },
          { start_s: 9, end_s: 10, confidence: 0.5, times: 1 },
        ],
      },
    ]);
  });
});

describe('markBeside', () => {
  const lanes = lanesOf(
    [event('Rain', 0, 50), event('Dog', 1, 2), event('Dog', 60, 61), event('Bell', 62, 62.5)],
    0.1,
  );

  it('walks along a lane and stops at its ends', () => {
    expect(markBeside(lanes, [1, 0], 'ArrowRight')).toEqual([1, 1]);
    expect(markBeside(lanes, [1, 1], 'ArrowRight')).toEqual([1, 1]);
    expect(markBeside(lanes, [1, 1], 'Home')).toEqual([1, 0]);
  });

  it('goes to the nearest in time of the lane above or below', () => {
    expect(markBeside(lanes, [2, 0], 'ArrowUp')).toEqual([1, 1]);
    expect(markBeside(lanes, [0, 0], 'ArrowDown')).toEqual([1, 0]);
    expect(markBeside(lanes, [0, 0], 'ArrowUp')).toEqual([0, 0]);
  });

  it('leaves every other key alone', () => {
    expect(markBeside(lanes, [0, 0], 'l')).toBeNull();
  });
});
