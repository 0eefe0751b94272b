import { expect, test } from 'vitest';
import { measured, qualityWords } from './quality';

const of = (value: number, unit: string | null) =>
  measured({ measure: 'x', value, unit, is_fault: false, start_s: null, end_s: null });

test('values are said with their units, parts as percentages', () => {
  expect(of(0.734, null)).toBe('73 %');
  expect(of(-23.04, 'LUFS')).toBe('-23.0 LUFS');
  expect(of(0.021, 's')).toBe('0.02 s');
  expect(of(12.04, 's')).toBe('12.0 s');
  expect(of(310, 'samples')).toBe('310 samples');
});

test('a measure without words of its own keeps its name', () => {
  expect(qualityWords('clipped highlights')).toBe('Blown highlights');
  expect(qualityWords('banding')).toBe('banding');
});
