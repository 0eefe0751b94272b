import { expect, test } from 'vitest';
import { fragmentsOf, written } from './suggestions';

test('all that was typed is completed, and its last word', () => {
  expect(fragmentsOf('golden ho')).toEqual([
    { text: 'golden ho', kind: null, before: '' },
    { text: 'ho', kind: null, before: 'golden' },
  ]);
  expect(fragmentsOf('beach')).toEqual([{ text: 'beach', kind: null, before: '' }]);
});

test('a value after its key is of that kind alone', () => {
  expect(fragmentsOf('dog tag:be')).toEqual([{ text: 'be', kind: 'tag', before: 'dog' }]);
  expect(fragmentsOf('in:"Summer t')).toEqual([{ text: 'Summer t', kind: 'folder', before: '' }]);
  expect(fragmentsOf('place:')).toEqual([{ text: '', kind: 'place', before: '' }]);
});

test('nothing is suggested for a letter, a word to avoid or another filter', () => {
  expect(fragmentsOf('a')).toEqual([]);
  expect(fragmentsOf('-dog')).toEqual([]);
  expect(fragmentsOf('rating:>3')).toEqual([]);
  expect(fragmentsOf('')).toEqual([]);
});

test('after a space the next word is not the last one', () => {
  expect(fragmentsOf('beach ')).toEqual([{ text: 'beach', kind: null, before: '' }]);
});

test('a value with spaces is quoted', () => {
  expect(written('tag', 'beach')).toBe('tag:beach');
  expect(written('folder', 'Summer trip')).toBe('in:"Summer trip"');
});
