/** The filters that the list of assets and the search share, named as the API names them. */
import type { paths } from './schema';

export type Filters = Pick<
  NonNullable<paths['/api/v1/assets']['get']['parameters']['query']>,
  FilterName
>;

export const FILTERS = [
  'kind',
  'library',
  'folder',
  'since',
  'until',
  'rating',
  'tag',
  'place',
  'camera',
  'min_duration_s',
  'max_duration_s',
  'quality',
  'min_loudness_lufs',
  'max_loudness_lufs',
] as const;

export type FilterName = (typeof FILTERS)[number];

const NUMBERS: ReadonlySet<FilterName> = new Set([
  'rating',
  'min_duration_s',
  'max_duration_s',
  'min_loudness_lufs',
  'max_loudness_lufs',
]);

/** Reads the filters of an address. A number that is none is left out. */
export function filtersOf(query: URLSearchParams): Filters {
  const given = FILTERS.flatMap((name): [FilterName, string | number][] => {
    const text = query.get(name);
    if (!text) return [];
    if (!NUMBERS.has(name)) return [[name, text]];
    const number = Number(text);
    return Number.isFinite(number) ? [[name, number]] : [];
  });
  return Object.fromEntries(given);
}
