import { expect, test } from 'vitest';
import {
  datesInWords,
  lengthInWords,
  periodsBefore,
  qualityInWords,
  valueInWords,
} from './filterValues';

test('dates are said as exactly as they are given', () => {
  expect(datesInWords({ since: '2024', until: '2024' })).toBe('2024');
  expect(datesInWords({ since: '2024-03' })).toMatch(/^since March 2024$/);
  expect(datesInWords({ until: '2024-03-05' })).toMatch(/^until .*5.*2024$/);
  expect(datesInWords({ since: 'someday' })).toBe('since someday');
  expect(datesInWords({})).toBeNull();
});

test('lengths are said as people say them', () => {
  expect(lengthInWords({ max_duration_s: 10 })).toBe('up to 10 s');
  expect(lengthInWords({ min_duration_s: 60, max_duration_s: 600 })).toBe('1 min – 10 min');
  expect(lengthInWords({ min_duration_s: 600 })).toBe('10 min or longer');
  expect(lengthInWords({})).toBeNull();
});

test('quality is said in the words of its menu', () => {
  expect(qualityInWords({ quality: 'sharp,clipping' })).toBe('Sharp, Clipped sound');
  expect(qualityInWords({ quality: 'black', max_loudness_lufs: -30 })).toBe(
    'Black frames, quieter than −30 LUFS',
  );
  expect(qualityInWords({ min_loudness_lufs: -24, max_loudness_lufs: -22 })).toBe(
    '−24 to −22 LUFS',
  );
  expect(qualityInWords({})).toBeNull();
});

test('a folder is called by its own name', () => {
  expect(valueInWords('folder', '/data/photos/Summer trip/')).toBe('Summer trip');
  expect(valueInWords('tag', 'beach')).toBe('beach');
});

test('a rating is the least number of stars', () => {
  expect(['1', '3', '5'].map((stars) => valueInWords('rating', stars))).toEqual([
    '1 star or more',
    '3 stars or more',
    '5 stars',
  ]);
});

test('periods begin with the month that is', () => {
  const periods = periodsBefore(new Date(2025, 2, 10));
  expect(periods[0]).toEqual({ name: 'This month', since: '2025-03', until: '2025-03' });
  expect(periods.map(({ name }) => name)).toContain('2024');
});
