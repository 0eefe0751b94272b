import { expect, test } from 'vitest';
import type { WrittenLine } from '../api/types';
import { asText, shownAt } from './writing';

const line = (text: string, start_s: number | null, end_s: number | null): WrittenLine => ({
  text,
  confidence: 0.9,
  left: 0.1,
  top: 0.1,
  width: 0.2,
  height: 0.05,
  at_s: start_s,
  start_s,
  end_s,
});

test('a frame shows the lines whose time it is in', () => {
  const lines = [line('Logo', 0, 12), line('Platform', 4, 8)];
  expect(asText(shownAt(lines, 3.9))).toBe('Logo');
  expect(asText(shownAt(lines, 4))).toBe('Logo\nPlatform');
  expect(asText(shownAt(lines, 8))).toBe('Logo');
  expect(shownAt(lines, 12)).toEqual([]);
});

test('a photo shows all of its lines', () => {
  expect(asText(shownAt([line('Way', null, null), line('out', null, null)], null))).toBe(
    'Way\nout',
  );
});
