import { expect, it } from 'vitest';
import type { Day } from '../stores/layout.svelte';
import { marksOf, monthsOf, placed } from './months';

const days = (...dates: (string | null)[]): Day[] =>
  dates.map((date, i) => ({ date, start: i, count: 1 }));

it('begins a month at its newest day, and keeps what has no date apart', () => {
  const months = monthsOf(days('2024-06-30', '2024-06-02', '2024-05-31', null));
  expect(months).toEqual([
    { date: '2024-06-30', section: 0 },
    { date: '2024-05-31', section: 2 },
    { date: null, section: 3 },
  ]);
});

it('stands at the share of the way down at which its heading is in sight', () => {
  const months = placed(
    monthsOf(days('2024-06-30', '2024-05-31', '2024-04-01')),
    [0, 1024, 9000],
    100,
    2000,
  );
  expect(months.map(({ share }) => share)).toEqual([0, 0.5, 1]);
});

it('names a year only where there is room', () => {
  const crowded = ['2024', '2023', '2022', '2021'].map((year, i) => ({
    date: `${year}-12-31`,
    section: i,
    share: i * 0.01,
  }));
  expect(
    marksOf(crowded, 1000)
      .filter(({ year }) => year)
      .map(({ year }) => year),
  ).toEqual(['2024', '2022']);
  expect(marksOf(crowded, 4000).filter(({ year }) => year)).toHaveLength(4);
});

it('puts dots for months clear of the names of years', () => {
  const months = Array.from({ length: 12 }, (_, i) => ({
    date: `2024-${String(12 - i).padStart(2, '0')}-01`,
    section: i,
    share: i / 12,
  }));
  expect(marksOf(months, 600).filter(({ year }) => !year)).toHaveLength(11);
  expect(marksOf(months, 30).filter(({ year }) => !year).length).toBeLessThan(5);
});
