/** The filters that the list of assets and the search share, named as the API names them. */

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
] as const;

export type FilterName = (typeof FILTERS)[number];
export type Filters = Partial<Record<FilterName, string>>;
