import { describe, expect, it } from 'vitest';
import { lineAt, segmentsOf } from './transcript';

const line = (start_s: number, end_s: number) => ({
  start_s,
  end_s,
  text: '',
  language: 'en',
  english: null,
  confidence: 1,
  edited: false,
  words: [],
});

const word = (text: string, start_s: number) => ({ text, start_s, end_s: start_s, probability: 1 });

describe('lineAt', () => {
  const lines = [line(1, 3), line(3, 4), line(10, 12)];

  it('finds the line that is said', () => {
    expect([1, 2.9, 3, 11].map((second) => lineAt(lines, second))).toEqual([0, 0, 1, 2]);
  });

  it('marks none in a pause, and the last one a little longer', () => {
    expect([0, 4.4, 4.6, 20].map((second) => lineAt(lines, second))).toEqual([-1, 1, -1, -1]);
  });
});

describe('segmentsOf', () => {
  it('keeps the text as it is written', () => {
    const text = 'Good morning, Mr. Meier.';
    const words = [word('Good', 1), word('morning,', 2), word('Mr.', 3), word('Meier.', 4)];
    const segments = segmentsOf({ text, words });
    expect(segments.map((segment) => segment.text).join('')).toBe(text);
    expect(
      segments.filter(({ start_s }) => start_s !== null).map(({ start_s }) => start_s),
    ).toEqual([1, 2, 3, 4]);
  });

  it('cuts scripts that have no spaces, and words that come twice', () => {
    const segments = segmentsOf({ text: '早上早上', words: [word('早上', 1), word('早上', 2)] });
    expect(segments).toEqual([
      { text: '早上', start_s: 1 },
      { text: '早上', start_s: 2 },
    ]);
  });

  it('is one piece where the words are not known', () => {
    expect(segmentsOf({ text: 'by hand', words: [] })).toEqual([
      { text: 'by hand', start_s: null },
    ]);
  });
});
