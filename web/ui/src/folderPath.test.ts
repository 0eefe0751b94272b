import { expect, test } from 'vitest';
import { absolutePath, folderUrl, stepsTo } from './folderPath';

test('a folder has an address whatever it is called', () => {
  expect(folderUrl('ab12', '')).toBe('/folders/ab12');
  expect(folderUrl('ab12', 'Summer trip/100 %/a?b')).toBe(
    '/folders/ab12/Summer%20trip/100%20%25/a%3Fb',
  );
});

test('a folder lies below the root of its library', () => {
  expect(absolutePath('/data/photos/', 'a/b')).toBe('/data/photos/a/b');
  expect(absolutePath('/data', '')).toBe('/data');
  expect(absolutePath('/', '')).toBe('/');
  expect(absolutePath('/', 'a')).toBe('/a');
});

test('the way to a folder names each one on it', () => {
  expect(stepsTo('2024/May')).toEqual([
    { name: '2024', path: '2024' },
    { name: 'May', path: '2024/May' },
  ]);
  expect(stepsTo('')).toEqual([]);
});
