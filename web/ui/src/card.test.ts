import { expect, it } from 'vitest';
import type { AssetCard } from './api/types';
import { describe } from './card';

const rated = (rating: number | null): string =>
  describe({
    name: 'kite.jpg',
    kind: 'photo',
    rating,
    duration_s: null,
    available: true,
  } as AssetCard);

it('says ratings as a person would', () => {
  expect(rated(1)).toBe('kite.jpg, photo, 1 star');
  expect(rated(4)).toBe('kite.jpg, photo, 4 stars');
  expect(rated(-1)).toBe('kite.jpg, photo, rejected');
  expect(rated(0)).toBe('kite.jpg, photo');
});
