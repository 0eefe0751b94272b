import { expect, it } from 'vitest';
import { dayTitle, monthTitle } from './dates';

const NOW = new Date(2026, 5, 14, 1, 30);

it('names the days of yesterday and today', () => {
  expect(dayTitle('2026-06-14', NOW)).toBe('Today');
  expect(dayTitle('2026-06-13', NOW)).toBe('Yesterday');
});

it('gives the year only where it is another one', () => {
  expect(dayTitle('2026-01-02', NOW)).not.toContain('2026');
  expect(dayTitle('2019-01-02', NOW)).toContain('2019');
});

it('moves a day to no time zone', () => {
  expect(dayTitle('2019-03-31', NOW)).toContain('31');
  expect(monthTitle('2019-03-01')).toMatch(/March|2019/);
});

it('says what has no date, and repeats what is none', () => {
  expect(dayTitle(null, NOW)).toBe('No date');
  expect(dayTitle('2019-13-45', NOW)).toBe('2019-13-45');
});
