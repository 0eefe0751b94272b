/** Writing in pictures: what is shown when, and how it is copied. */
import type { WrittenLine } from '../api/types';

/** The lines that a frame shows; null: a photo, which shows all of them. */
export function shownAt(lines: WrittenLine[], now_s: number | null): WrittenLine[] {
  if (now_s === null) return lines;
  return lines.filter(({ start_s, end_s }) => (start_s ?? 0) <= now_s && now_s < (end_s ?? 0));
}

export const asText = (lines: WrittenLine[]): string => lines.map(({ text }) => text).join('\n');
