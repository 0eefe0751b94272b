/** Where playback stands in a transcript, and how a line is taken apart into its words. */
import type { SpokenLine } from '../api/types';

/** A line stays marked this long after its end: the eye is still on it. */
const LINGER_S = 0.5;

/** Index of the line that is said at a second; -1 in a pause. Lines are in time order. */
export function lineAt(lines: readonly SpokenLine[], second: number): number {
  const begun = lines.findLastIndex(({ start_s }) => start_s <= second);
  const line = lines[begun];
  return line && second < line.end_s + LINGER_S ? begun : -1;
}

export interface Segment {
  text: string;
  /** Where the word begins; null for what lies between words. */
  start_s: number | null;
}

/** The text of a line as it is written, cut where its words begin and end. */
export function segmentsOf({ text, words }: Pick<SpokenLine, 'text' | 'words'>): Segment[] {
  const segments: Segment[] = [];
  let reached = 0;
  for (const word of words) {
    const at = text.indexOf(word.text, reached);
    if (at < 0 || !word.text) continue;
    if (at > reached) segments.push({ text: text.slice(reached, at), start_s: null });
    segments.push({ text: word.text, start_s: word.start_s });
    reached = at + word.text.length;
  }
  if (reached < text.length) segments.push({ text: text.slice(reached), start_s: null });
  return segments;
}
