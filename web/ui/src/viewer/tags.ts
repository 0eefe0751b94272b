/** The tags of an asset as rows: in a video the same word can stand at many spans. */
import type { AssetTag } from '../api/types';
import { percent } from '../confidence';

/** Of one tag: what the API takes. */
export const MOST_LETTERS = 100;

export interface TagRow {
  word: string;
  verdict: string | null;
  /** Who says so, and how surely: "suggested by tags · ViT-B-32, 82 %". */
  origin: string;
  /** Seconds at which it is seen, in order; empty where it belongs to the whole. */
  seen_s: number[];
}

const ORIGIN: Record<string, string> = {
  file: 'from the file',
  person: 'added by a person',
};

/** What people and files say first, then suggestions from the surest on, what was rejected last. */
export function tagRows(tags: AssetTag[]): TagRow[] {
  const byWord = new Map<string, AssetTag[]>();
  for (const tag of tags) byWord.set(tag.word, [...(byWord.get(tag.word) ?? []), tag]);
  return [...byWord.values()]
    .map((same) => same.toSorted((a, b) => rank(a) - rank(b)))
    .toSorted(([a], [b]) => (a && b ? rank(a) - rank(b) : 0))
    .flatMap((same) => {
      const [best] = same;
      if (!best) return [];
      const { word, verdict } = best;
      const times_s = same.flatMap(({ start_s }) => (start_s === null ? [] : [start_s]));
      // Seen from the start and nowhere else: that is the whole of it.
      const seen_s = times_s.some((time_s) => time_s > 0) ? times_s : [];
      const inOrder_s = [...new Set(seen_s)].sort((a, b) => a - b);
      return [{ word, verdict, origin: origin(best), seen_s: inOrder_s }];
    });
}

function rank({ verdict, source, score }: AssetTag): number {
  if (verdict === 'rejected') return 4 - score;
  if (verdict === 'approved' || source in ORIGIN) return 0;
  return 2 - score;
}

function origin({ verdict, source, score, producer }: AssetTag): string {
  const by = producer === null ? '' : ` by ${producer}`;
  const said = ORIGIN[source] ?? `suggested${by}, ${percent(score)}`;
  return verdict && source !== 'person' ? `${said}, ${verdict}` : said;
}
