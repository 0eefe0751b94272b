/** What sets the copies of a group apart, in the words of people, and what trashing them would do. */
import type { CopyFacts, FileCopy, GroupKind } from '../api/duplicates';
import { byteCount, count, localTime, timecode } from '../format';

export interface Row {
  name: string;
  /** One for each copy, in their order; "–" where nothing is known. */
  values: string[];
  differs: boolean;
}

const NOTHING = '–';

const ROWS: [name: string, value: (facts: CopyFacts) => string | null][] = [
  ['Resolution', (f) => (f.width_px && f.height_px ? `${f.width_px} × ${f.height_px}` : null)],
  ['Length', (f) => (f.duration_s === null ? null : timecode(f.duration_s))],
  ['Size', (f) => byteCount(f.size_bytes)],
  ['Format', (f) => [f.format.toUpperCase(), f.codec].filter(Boolean).join(' · ')],
  ['Taken', (f) => f.captured_local && localTime(f.captured_local)],
  ['Camera', (f) => f.camera],
  ['Place', (f) => f.place],
  ['Sharpness', (f) => (f.sharpness === null ? null : `${Math.round(f.sharpness * 100)} %`)],
  ['Rating', (f) => stars(f.rating)],
  ['Label', (f) => f.label],
  ['Title', (f) => f.title],
  ['Caption', (f) => f.caption],
  ['Tags', (f) => f.tags.join(', ')],
];

/** What is known of at least one of them. */
export function rowsOf(copies: CopyFacts[]): Row[] {
  return ROWS.map(([name, value]) => {
    const values = copies.map((copy) => value(copy) || NOTHING);
    return { name, values, differs: new Set(values).size > 1 };
  }).filter(({ values }) => values.some((value) => value !== NOTHING));
}

export const KIND_WORDS: Record<GroupKind, string> = {
  exact: 'Exact',
  photo: 'Near',
  burst: 'Bursts',
  video: 'Videos',
  audio: 'Sounds',
};

export const KIND_SENTENCES: Record<string, string> = {
  exact: 'The same bytes in several places',
  photo: 'The same picture, edited, scaled or saved again',
  burst: 'Taken right after each other',
  video: 'They show the same at the same times',
  audio: 'They sound the same',
};

const REASONS: Record<string, string> = {
  resolution: 'it has the most pixels',
  length: 'it is the longest',
  metadata: 'the most is known of it',
  size: 'it has the most bytes',
  age: 'it was here first',
};

/** Why the proposed one is proposed, as the end of a sentence. */
export function reasonWords(reason: string | null, files: FileCopy[]): string {
  if (reason !== null) return REASONS[reason] ?? reason;
  const [first, second] = files;
  if (first?.library_state !== 'offline' && second?.library_state === 'offline')
    return 'its library is there, unlike that of another';
  if (first?.sidecars.length && !second?.sidecars.length) return 'a sidecar lies beside it';
  return 'it was here first';
}

/** What the kept one takes over from the others: only what it lacks itself. */
export function gainsOf(kept: CopyFacts, others: CopyFacts[]): string[] {
  const best = Math.max(0, ...others.map(({ rating }) => rating ?? 0));
  const first = (name: 'label' | 'title' | 'caption'): string | null =>
    kept[name] ? null : (others.map((other) => other[name]).find(Boolean) ?? null);
  const own = new Set(kept.tags);
  const tags = [...new Set(others.flatMap((other) => other.tags))].filter((tag) => !own.has(tag));
  const label = first('label');
  const title = first('title');
  return [
    !kept.rating && best > 0 && `the rating ${stars(best)}`,
    label && `the label ${label}`,
    title && `the title “${title}”`,
    first('caption') && 'a caption',
    tags.length > 0 && `${tags.length === 1 ? 'the tag' : 'the tags'} ${tags.sort().join(', ')}`,
  ].filter((words) => typeof words === 'string');
}

/** What becomes of the XMP files beside a copy that is put away, each in a sentence. */
export function sidecarWords(going: FileCopy, kept: FileCopy): string[] {
  return going.sidecars.map(({ name, digest, shared_with }) => {
    if (shared_with.length) return `${name} also belongs to ${shared_with.join(', ')}.`;
    if (!kept.sidecars.length) return `${name} lies beside this copy only, and stays there.`;
    const same = digest !== null && kept.sidecars.some((other) => other.digest === digest);
    return same
      ? `${name} says the same as the one beside the copy that is kept.`
      : `${name} says something else than the one beside the copy that is kept.`;
  });
}

function stars(rating: number | null): string | null {
  if (!rating) return null;
  return rating < 0 ? 'Rejected' : count(rating, 'star', 'stars');
}
