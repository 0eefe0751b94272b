import { describe, expect, it } from 'vitest';
import { byteCount, localTime, offset, roughDuration, timecode } from './format';

describe('timecode', () => {
  it.each([
    [0, '0:00'],
    [9.99, '0:09'],
    [75.4, '1:15'],
    [3675, '1:01:15'],
  ])('%d s reads %s', (seconds, text) => expect(timecode(seconds)).toBe(text));
});

describe('roughDuration', () => {
  it.each([
    [0.2, '1 s'],
    [59, '59 s'],
    [90, '2 min'],
    [5400, '1 h 30 min'],
    [7200, '2 h'],
  ])('%d s reads %s', (seconds, text) => expect(roughDuration(seconds)).toBe(text));
});

describe('byteCount', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [999_900, '1.0 MB'],
    [12_345_678, '12.3 MB'],
    [250_000_000, '250 MB'],
  ])('%d reads %s', (bytes, text) => expect(byteCount(bytes)).toBe(text));
});

describe('capture times', () => {
  it('keeps the clock of the camera in every time zone', () => {
    expect(localTime('2024-05-03T18:22:10')).toMatch(/6:22|18:22/);
  });

  it('shows what it cannot read as it is', () => {
    expect(localTime('long ago')).toBe('long ago');
  });

  it.each([
    [120, 'UTC+02:00'],
    [-210, 'UTC−03:30'],
  ])('names an offset of %d min', (minutes, text) => expect(offset(minutes)).toBe(text));
});
