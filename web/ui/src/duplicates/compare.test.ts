import { expect, it } from 'vitest';
import type { CopyFacts, FileCopy } from '../api/duplicates';
import { gainsOf, reasonWords, rowsOf, sidecarWords } from './compare';

const facts = (some: Partial<CopyFacts>): CopyFacts => ({
  asset_id: 'a',
  size_bytes: 1000,
  format: 'jpeg',
  codec: null,
  width_px: null,
  height_px: null,
  duration_s: null,
  frame_rate: null,
  captured_local: null,
  camera: null,
  place: null,
  title: null,
  caption: null,
  rating: null,
  label: null,
  tags: [],
  sharpness: null,
  ...some,
});

const file = (path: string, ...sidecars: FileCopy['sidecars']): FileCopy => ({
  file_id: path,
  asset_id: 'a',
  path,
  library: 'Photos',
  library_state: 'online',
  modified_at: '2024-01-01T00:00:00Z',
  trashed_at: null,
  sidecars,
});

it('marks what differs and leaves out what is known of none', () => {
  const rows = rowsOf([
    facts({ width_px: 640, height_px: 480, rating: 4 }),
    facts({ width_px: 320, height_px: 240 }),
  ]);
  expect(rows).toEqual([
    { name: 'Resolution', values: ['640 × 480', '320 × 240'], differs: true },
    { name: 'Size', values: ['1.0 kB', '1.0 kB'], differs: false },
    { name: 'Format', values: ['JPEG', 'JPEG'], differs: false },
    { name: 'Rating', values: ['4 stars', '–'], differs: true },
  ]);
});

it('says what the kept one takes over, and nothing that it has itself', () => {
  const kept = facts({ title: 'Mine', tags: ['sea'] });
  const others = [
    facts({ title: 'Other', rating: -1, tags: ['sea', 'boat'] }),
    facts({ rating: 3, label: 'Red' }),
  ];
  expect(gainsOf(kept, others)).toEqual(['the rating 3 stars', 'the label Red', 'the tag boat']);
  expect(gainsOf(kept, [facts({ rating: -1 })])).toEqual([]);
});

it('says why one of several files is proposed', () => {
  const plain = file('/b.jpg');
  const beside = file('/a.jpg', { name: 'a.xmp', digest: '1', shared_with: [] });
  expect(reasonWords(null, [beside, plain])).toBe('a sidecar lies beside it');
  expect(reasonWords(null, [plain, file('/c.jpg')])).toBe('it was here first');
  expect(reasonWords(null, [plain, { ...beside, library_state: 'offline' }])).toContain('library');
});

it('tells sidecars that are shared, alone, the same or different', () => {
  const kept = file('/a.jpg', { name: 'a.xmp', digest: '1', shared_with: [] });
  const beside = (digest: string, ...shared_with: string[]): FileCopy =>
    file('/b.jpg', { name: 'b.xmp', digest, shared_with });
  expect(sidecarWords(beside('1'), kept)[0]).toContain('says the same');
  expect(sidecarWords(beside('2'), kept)[0]).toContain('something else');
  expect(sidecarWords(beside('2'), file('/a.jpg'))[0]).toContain('this copy only');
  expect(sidecarWords(beside('2', 'b.cr3'), kept)[0]).toContain('also belongs to b.cr3');
});
