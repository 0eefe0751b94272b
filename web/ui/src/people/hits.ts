/** The faces of a person as the assets and moments that they are seen in. */
import type { FaceView } from '../api/people';
import type { Hit } from '../api/types';

/** One for each asset, in the order of their first faces. A name is the reason that the viewer tells. */
export function hitsOf(faces: readonly FaceView[], name: string | null): Hit[] {
  const ofAsset = new Map<string, FaceView[]>();
  for (const face of faces)
    ofAsset.set(face.asset_id, [...(ofAsset.get(face.asset_id) ?? []), face]);
  return [...ofAsset].map(([asset_id, seen]) => ({
    asset_id,
    path: seen[0]?.asset_name ?? '',
    kind: seen[0]?.asset_kind ?? 'photo',
    score: 1,
    why: name === null ? [] : [`${name} is in it`],
    moments: seen.map(momentOf).toSorted((a, b) => (a.start_s ?? 0) - (b.start_s ?? 0)),
    captured_local: null,
    duration_s: null,
    height_px: null,
    offline: false,
    thumbhash: null,
    width_px: null,
  }));
}

const momentOf = ({ at_s, start_s, end_s }: FaceView): Hit['moments'][number] => ({
  at_s,
  start_s: start_s ?? at_s,
  end_s: end_s ?? at_s,
  channel: 'people',
  score: 1,
});
