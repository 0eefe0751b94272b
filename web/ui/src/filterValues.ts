/** The filters of an address in the words of a person, and what the menus offer for each. */
import type { FilterName, Filters } from './api/filters';
import { nameOf } from './folderPath';
import { roughDuration } from './format';

type Words = (value: string) => string;

/** What a filter of one value is called beside its menu's name. */
const WORDS: Partial<Record<FilterName, Words>> = {
  // A folder's own name says enough; the whole path is its title.
  folder: nameOf,
  rating: starsOrMore,
};

/** "5 stars", "1 star or more": how a least rating is said. */
export function starsOrMore(stars: string | number): string {
  if (Number(stars) === 5) return '5 stars';
  return Number(stars) === 1 ? '1 star or more' : `${stars} stars or more`;
}

export function valueInWords(name: FilterName, value: string): string {
  return WORDS[name]?.(value) ?? value;
}

/** "2024", "March 2024", "5 March 2024": a date as exact as it is given. */
function day(text: string): string {
  const parts = text.split('-').length;
  const first = new Date(`${text}${['', '-01-01', '-01', ''][parts] ?? ''}T00:00:00Z`);
  if (Number.isNaN(first.getTime())) return text;
  return first.toLocaleDateString(undefined, {
    year: 'numeric',
    ...(parts > 1 ? { month: parts > 2 ? 'short' : 'long' } : {}),
    ...(parts > 2 ? { day: 'numeric' } : {}),
    timeZone: 'UTC',
  });
}

export function datesInWords({ since, until }: Filters): string | null {
  if (since && until) return since === until ? day(since) : `${day(since)} – ${day(until)}`;
  if (since) return `since ${day(since)}`;
  return until ? `until ${day(until)}` : null;
}

export function lengthInWords({
  min_duration_s: least,
  max_duration_s: most,
}: Filters): string | null {
  if (least != null && most != null) return `${roughDuration(least)} – ${roughDuration(most)}`;
  if (least != null) return `${roughDuration(least)} or longer`;
  return most != null ? `up to ${roughDuration(most)}` : null;
}

/** What can be asked of quality: the word of the API, and how it is said. */
export const TRAITS: readonly (readonly [trait: string, words: string])[] = [
  ['sharp', 'Sharp'],
  ['blurred', 'Blurred'],
  ['overexposed', 'Overexposed'],
  ['underexposed', 'Underexposed'],
  ['clipping', 'Clipped sound'],
  ['dropouts', 'Dropouts'],
  ['silence', 'Silence'],
  ['black', 'Black frames'],
  ['frozen', 'Frozen frames'],
  ['flash', 'Flashes'],
  ['faults', 'Any fault'],
];

export interface Loudness {
  name: string;
  least_lufs: number | null;
  most_lufs: number | null;
}

/** The limits are those to deliver by: -23 for broadcasters (EBU R128), -14 for streaming. */
export const LOUDNESSES: Loudness[] = [
  { name: 'Louder than −14 LUFS', least_lufs: -14, most_lufs: null },
  { name: '−18 to −14 LUFS', least_lufs: -18, most_lufs: -14 },
  { name: '−24 to −22 LUFS', least_lufs: -24, most_lufs: -22 },
  { name: 'Quieter than −30 LUFS', least_lufs: null, most_lufs: -30 },
];

export function qualityInWords(filters: Filters): string | null {
  const traits = filters.quality?.split(',') ?? [];
  const words = traits.map((trait) => TRAITS.find(([known]) => known === trait)?.[1] ?? trait);
  const loudness = loudnessInWords(filters);
  return [...words, ...(loudness ? [loudness] : [])].join(', ') || null;
}

function loudnessInWords({
  min_loudness_lufs: least,
  max_loudness_lufs: most,
}: Filters): string | null {
  const lufs = (value: number): string => String(value).replace('-', '−');
  if (least != null && most != null) return `${lufs(least)} to ${lufs(most)} LUFS`;
  if (least != null) return `louder than ${lufs(least)} LUFS`;
  return most != null ? `quieter than ${lufs(most)} LUFS` : null;
}

export interface Period {
  name: string;
  since: string | null;
  until: string | null;
}

/** Periods that people look in, by the calendar of `today`. */
export function periodsBefore(today: Date): Period[] {
  const year = today.getFullYear();
  const month = `${year}-${String(today.getMonth() + 1).padStart(2, '0')}`;
  const years = Array.from({ length: 4 }, (_, ago) => String(year - 1 - ago));
  return [
    { name: 'This month', since: month, until: month },
    { name: 'This year', since: String(year), until: String(year) },
    ...years.map((each) => ({ name: each, since: each, until: each })),
  ];
}

export interface Length {
  name: string;
  least_s: number | null;
  most_s: number | null;
}

export const LENGTHS: Length[] = [
  { name: 'Up to 10 s', least_s: null, most_s: 10 },
  { name: '10 s to 1 min', least_s: 10, most_s: 60 },
  { name: '1 to 10 min', least_s: 60, most_s: 600 },
  { name: '10 min or longer', least_s: 600, most_s: null },
];
