import { describe, expect, it } from 'vitest';
import { frameAt, frameMiddle_s, frameRateOf, frameRateWords, smpte, stepped_s } from './timecode';

const ntsc = { numerator: 30000, denominator: 1001 };
const pal = { numerator: 25, denominator: 1 };

it.each([
  ['30000/1001', ntsc],
  ['25', pal],
  ['0/0', null],
  ['variable', null],
  [null, null],
])('reads the frame rate %s', (text, rate) => expect(frameRateOf(text)).toEqual(rate));

describe('smpte', () => {
  it.each([
    [0, '00:00:00:00'],
    [0.04, '00:00:00:01'],
    [75.28, '00:01:15:07'],
    [3675, '01:01:15:00'],
  ])('%d s at 25 fps read %s', (seconds, text) => expect(smpte(seconds, pal)).toBe(text));

  it('counts each frame of 29.97 fps once', () => {
    const seen = Array.from({ length: 3000 }, (_, frame) =>
      smpte(frameMiddle_s(frame, ntsc), ntsc),
    );
    expect(new Set(seen).size).toBe(3000);
    expect(seen[30]).toBe('00:00:01:00');
  });

  it('gives hundredths to sound', () => expect(smpte(75.289, null)).toBe('1:15.28'));
});

describe('stepped_s', () => {
  it('goes to the middle of the next frame, wherever in a frame it stands', () => {
    for (const within of [0, 0.3, 0.99])
      expect(frameAt(stepped_s((10 + within) / 25, 1, pal, 9), pal)).toBe(11);
  });

  it('stays between the first and the last frame', () => {
    expect(frameAt(stepped_s(0, -1, pal, 2), pal)).toBe(0);
    expect(frameAt(stepped_s(1.99, 5, pal, 2), pal)).toBe(49);
  });

  it('steps sound by hundredths', () => expect(stepped_s(1, -3, null, 9)).toBeCloseTo(0.97));
});

it('says a rate as people do', () => {
  expect(frameRateWords(ntsc)).toBe('29.97 fps');
  expect(frameRateWords(pal)).toBe('25 fps');
});
