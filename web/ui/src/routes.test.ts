import { expect, it } from 'vitest';
import { routeOf } from './routes';

it('finds the page of an address', () => {
  expect(routeOf('/')?.page).toBe('LibraryPage');
  expect(routeOf('/work')?.page).toBe('WorkPage');
  expect(routeOf('/work/')?.page).toBe('WorkPage');
});

it('lets folders, people and tags have pages below them, and nothing else', () => {
  expect(routeOf('/folders/ab12/2024/May')?.page).toBe('FoldersPage');
  expect(routeOf('/people/name')?.page).toBe('PeoplePage');
  expect(routeOf('/tags/dog')?.page).toBe('TagsPage');
  expect(routeOf('/work/more')).toBeNull();
  expect(routeOf('/nowhere')).toBeNull();
});
