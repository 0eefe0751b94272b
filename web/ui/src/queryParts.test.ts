import { expect, test } from 'vitest';
import type { QueryPart } from './api/types';
import { isNegative, partInWords } from './queryParts';

const part = (role: QueryPart['role'], name: string | null, text: string): QueryPart => ({
  role,
  name,
  text,
  without: '',
});

test('each part of a query is said in words', () => {
  expect(partInWords(part('excluded', null, 'dog'))).toBe('without “dog”');
  expect(partInWords(part('phrase', null, 'at the gate'))).toBe('word for word “at the gate”');
  expect(partInWords(part('filter', 'in', 'Summer trip'))).toBe('folder: Summer trip');
  expect(partInWords(part('filter', '-tag', 'old'))).toBe('without tag: old');
  expect(partInWords(part('date', null, 'June 2024'))).toBe('taken: June 2024');
});

test('what takes results away is told apart', () => {
  expect(isNegative(part('excluded', null, 'dog'))).toBe(true);
  expect(isNegative(part('filter', '-tag', 'old'))).toBe(true);
  expect(isNegative(part('filter', 'tag', 'old'))).toBe(false);
});
