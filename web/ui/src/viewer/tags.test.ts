import { expect, it } from 'vitest';
import type { AssetTag } from '../api/types';
import { tagRows } from './tags';

const tag = (word: string, changes: Partial<AssetTag> = {}): AssetTag => ({
  word,
  vocabulary: 'words',
  source: 'model',
  score: 0.5,
  verdict: null,
  producer: 'tags · ViT-B-32',
  start_s: null,
  end_s: null,
  ...changes,
});

it('puts people and files first, then the surest suggestions, what was rejected last', () => {
  const rows = tagRows([
    tag('dog', { verdict: 'rejected', score: 0.99 }),
    tag('beach', { score: 0.4 }),
    tag('sea', { score: 0.9 }),
    tag('holiday', { source: 'file', score: 1 }),
  ]);
  expect(rows.map(({ word }) => word)).toEqual(['holiday', 'sea', 'beach', 'dog']);
});

it('says who says so, and how surely', () => {
  const origins = tagRows([
    tag('sea', { score: 0.82, verdict: 'approved' }),
    tag('mine', { source: 'person', verdict: 'approved', producer: null }),
    tag('old', { source: 'file', producer: null }),
  ]).map(({ origin }) => origin);
  expect(new Set(origins)).toEqual(
    new Set(['suggested by tags · ViT-B-32, 82 %, approved', 'added by a person', 'from the file']),
  );
});

it('makes one row of a word that is seen at many times', () => {
  const rows = tagRows([
    tag('cat', { start_s: 9, end_s: 10, score: 0.9 }),
    tag('cat', { start_s: 2, end_s: 3, score: 0.6 }),
  ]);
  expect(rows).toEqual([
    { word: 'cat', verdict: null, origin: 'suggested by tags · ViT-B-32, 90 %', seen_s: [2, 9] },
  ]);
});
