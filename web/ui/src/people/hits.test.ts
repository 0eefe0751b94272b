import { expect, it } from 'vitest';
import type { FaceView } from '../api/people';
import { timedMoments } from '../moments';
import { hitsOf } from './hits';

const face = (asset_id: string, at_s: number | null): FaceView => ({
  id: `${asset_id} ${at_s}`,
  asset_id,
  asset_name: `${asset_id}.mp4`,
  asset_kind: at_s === null ? 'photo' : 'video',
  asset_version: '1',
  box: { left: 0, top: 0, width: 0.1, height: 0.1 },
  at_s,
  start_s: at_s === null ? null : at_s - 1,
  end_s: at_s === null ? null : at_s + 1,
  person_id: 'p',
  person_name: null,
  confirmed: false,
  drawn: false,
  recognisable: true,
  quality: 1,
});

it('shows an asset once, with its moments in the order of time', () => {
  const hits = hitsOf([face('clip', 9), face('photo', null), face('clip', 3)], 'Ada');
  expect(hits.map(({ asset_id }) => asset_id)).toEqual(['clip', 'photo']);
  expect(timedMoments(hits[0] ?? null).map(({ start_s, open_s }) => [start_s, open_s])).toEqual([
    [2, 3],
    [8, 9],
  ]);
  expect(timedMoments(hits[1] ?? null)).toEqual([]);
  expect(hits[0]?.why).toEqual(['Ada is in it']);
});

it('gives no reason for somebody without a name', () => {
  expect(hitsOf([face('photo', null)], null)[0]?.why).toEqual([]);
});
