import { expect, it } from 'vitest';
import type { AssetDetail } from '../api/types';
import { coordinates, exposure, factsOf, shutter } from './facts';

it.each([
  [0.004, '1/250 s'],
  [1 / 60, '1/60 s'],
  [0.5, '0.5 s'],
  [30, '30 s'],
])('an exposure of %d s reads %s', (seconds, text) => expect(shutter(seconds)).toBe(text));

it('says an exposure as photographers do, with what is known', () => {
  const all = {
    exposure_s: 0.004,
    aperture: 2.8,
    iso: 100,
    focal_length_mm: 85,
    focal_length_35mm: 127,
  };
  expect(exposure(all)).toBe('1/250 s  f/2.8  ISO 100  85 mm (127 mm in 35 mm format)');
  expect(exposure({ aperture: 8 })).toBe('f/8');
  expect(exposure({})).toBe('');
});

it('names the halves of the world', () => {
  expect(coordinates(-33.8568, 151.2153)).toBe('33.8568° S, 151.2153° E');
});

const bare = {
  card: {
    kind: 'audio',
    captured_local: null,
    duration_s: 75,
    width_px: null,
    height_px: null,
  },
  format: 'wav',
  codec: 'pcm_s16le',
  frame_rate: null,
  size_bytes: 1_200_000,
  captured_offset_min: null,
  camera: null,
  lens: null,
  latitude: null,
  longitude: null,
  place: null,
  country: null,
  shots: [],
  ucs: null,
  music: null,
  details: { sample_rate_hz: 44_100, channels: 2, audio_codec: 'pcm_s16le', odd_field: ['a', 'b'] },
} as unknown as AssetDetail;

it('leaves out what is not known, and shows unknown fields under their own name', () => {
  expect(factsOf(bare)).toEqual([
    {
      title: 'Sound',
      facts: [
        { name: 'Length', value: '1:15', note: '' },
        { name: 'Format', value: 'WAV · pcm_s16le', note: '1.2 MB' },
        { name: 'Sound', value: 'pcm_s16le · 44.1 kHz · stereo' },
      ],
    },
    { title: 'More from the file', facts: [{ name: 'Odd field', value: 'a, b' }] },
  ]);
});

it('tells when a recorder began, and what a name of the Universal Category System says', () => {
  const details = { source_timecode: '10:00:00:06', timecode_rate: '25', time_reference: '7' };
  const ucs = {
    cat_id: 'AMBUrbn',
    category: 'ambience',
    user_category: null,
    fx_name: 'City Square',
    creator: 'JD',
    source: 'WALK',
  };
  const [made, ...rest] = factsOf({ ...bare, details, ucs });
  expect(made?.facts.slice(-2)).toEqual([
    { name: 'Starts at', value: '10:00:00:06', note: '25 fps' },
    { name: 'UCS', value: 'AMBIENCE · City Square', note: 'AMBUrbn, JD, WALK' },
  ]);
  expect(rest).toEqual([]);
});

it.each([
  [{ tempo_bpm: 125.5, key: 'A minor', key_confidence: 0.9 }, '125.5 bpm · A minor', ''],
  [{ tempo_bpm: null, key: 'C major', key_confidence: 0.1 }, 'C major', 'the key is uncertain'],
  [{ tempo_bpm: 90, key: null, key_confidence: 0 }, '90 bpm', ''],
])('tells tempo and key of music: %o', (music, value, note) => {
  const [made] = factsOf({ ...bare, music });
  expect(made?.facts.at(-1)).toEqual({ name: 'Music', value, note });
});
