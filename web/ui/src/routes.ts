/** The pages of the app: their addresses, their names, and the files that show them. */
import type { IconName } from './components/Icon.svelte';

export interface Route {
  path: string;
  name: string;
  icon: IconName;
  /** Name of the component in `pages/`. */
  page: string;
}

/** What a person comes for. */
export const BROWSING: Route[] = [
  { path: '/', name: 'Library', icon: 'grid', page: 'LibraryPage' },
  { path: '/folders', name: 'Folders', icon: 'folder', page: 'FoldersPage' },
  { path: '/places', name: 'Places', icon: 'place', page: 'PlacesPage' },
  { path: '/people', name: 'People', icon: 'person', page: 'PeoplePage' },
];

/** Its words, and what keeps it running. */
export const KEEPING: Route[] = [
  { path: '/tags', name: 'Tags', icon: 'tag', page: 'TagsPage' },
  { path: '/libraries', name: 'Libraries', icon: 'disk', page: 'LibrariesPage' },
  { path: '/work', name: 'Work', icon: 'pulse', page: 'WorkPage' },
  { path: '/models', name: 'Models', icon: 'chip', page: 'ModelsPage' },
  { path: '/duplicates', name: 'Duplicates', icon: 'copy', page: 'DuplicatesPage' },
  { path: '/trash', name: 'Trash', icon: 'trash', page: 'TrashPage' },
];

const ROUTES = [...BROWSING, ...KEEPING];

/** These have pages of their own below them. */
const DEEPER = ['/folders', '/people', '/tags'];

/** The route a path belongs to. */
export function routeOf(path: string): Route | null {
  const first = `/${path.split('/')[1] ?? ''}`;
  const route = ROUTES.find((each) => each.path === first) ?? null;
  const deeper = path.replace(/\/+$/, '').length > first.length && first !== '/';
  return deeper && !DEEPER.includes(first) ? null : route;
}
