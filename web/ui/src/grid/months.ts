/** Months of a timeline and where they stand on its scrubber, as shares of the way down the page. */
import type { Day } from '../stores/layout.svelte';

export interface Month {
  /** Its newest day; null for assets without a date. */
  date: string | null;
  /** Number of the section in which it begins. */
  section: number;
}

export interface PlacedMonth extends Month {
  /** 0: the top of the page, 1: the end. */
  share: number;
}

export interface Mark {
  share: number;
  /** "2024", or "" for a month's dot. */
  year: string;
}

/** What the bars above the grid cover: a month is shown when its heading is below them. */
const COVERED_PX = 124;
/** Room for one line of text, and for a dot. */
const YEAR_PX = 18;
const DOT_PX = 6;

const monthOf = (date: string | null): string => date?.slice(0, 7) ?? '';

export function monthsOf(days: readonly Day[]): Month[] {
  return days.flatMap(({ date }, section) =>
    section && monthOf(date) === monthOf(days[section - 1]?.date ?? null)
      ? []
      : [{ date, section }],
  );
}

/** `tops`: of the sections, px from the top of the grid, which begins `grid_px` down the page. */
export function placed(
  months: readonly Month[],
  tops: ArrayLike<number>,
  grid_px: number,
  range_px: number,
): PlacedMonth[] {
  return months.map((month, i) => {
    const top_px = grid_px + (tops[month.section] ?? 0) - COVERED_PX;
    const share = range_px > 0 && i ? Math.min(1, Math.max(0, top_px / range_px)) : 0;
    return { ...month, share };
  });
}

/** The years that have room for their name, and dots for months between them. */
export function marksOf(months: readonly PlacedMonth[], track_px: number): Mark[] {
  const years: Mark[] = [];
  let before = '';
  let last_px = -Infinity;
  for (const { date, share } of months) {
    const year = date?.slice(0, 4) ?? '';
    if (!year || year === before) continue;
    before = year;
    if (share * track_px - last_px < YEAR_PX) continue;
    last_px = share * track_px;
    years.push({ share, year });
  }
  return [...years, ...dotsBetween(years, months, track_px)];
}

function dotsBetween(
  years: readonly Mark[],
  months: readonly PlacedMonth[],
  track_px: number,
): Mark[] {
  let last_px = -Infinity;
  return months.flatMap(({ share }) => {
    const at_px = share * track_px;
    const onYear = years.some((year) => Math.abs(year.share * track_px - at_px) < YEAR_PX / 2 + 2);
    if (onYear || at_px - last_px < DOT_PX) return [];
    last_px = at_px;
    return [{ share, year: '' }];
  });
}
