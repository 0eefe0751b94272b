/** Days of the camera's clock as people name them. Dates are "YYYY-MM-DD", moved to no time zone. */

const NO_DATE = 'No date';

// Made once: a formatter takes a millisecond to make, and a timeline has thousands of days.
const THIS_YEAR = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  timeZone: 'UTC',
});
const OTHER_YEAR = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  timeZone: 'UTC',
});
const MONTH = new Intl.DateTimeFormat(undefined, {
  month: 'long',
  year: 'numeric',
  timeZone: 'UTC',
});

const dayOf = (date: string): Date => new Date(`${date}T00:00:00Z`);

/** "Today", "Yesterday", "Sat, 14 June", "Sat, 14 June 2024": the year only where it is another one. */
export function dayTitle(date: string | null, now = new Date()): string {
  if (date === null) return NO_DATE;
  const day = dayOf(date);
  if (Number.isNaN(day.getTime())) return date;
  const today = Date.UTC(now.getFullYear(), now.getMonth(), now.getDate());
  const days = Math.round((today - day.getTime()) / 86_400_000);
  if (days === 0) return 'Today';
  if (days === 1) return 'Yesterday';
  return (day.getUTCFullYear() === now.getFullYear() ? THIS_YEAR : OTHER_YEAR).format(day);
}

/** "June 2024". */
export function monthTitle(date: string | null): string {
  if (date === null) return NO_DATE;
  const day = dayOf(date);
  if (Number.isNaN(day.getTime())) return date;
  return MONTH.format(day);
}
