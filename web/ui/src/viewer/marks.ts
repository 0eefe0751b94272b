/** The in and out points that a person sets, as in an editor's source monitor. Seconds, half-open. */

export interface Marks {
  in_s: number | null;
  out_s: number | null;
}

export interface Range {
  start_s: number;
  end_s: number;
}

export const UNMARKED: Marks = { in_s: null, out_s: null };

/** An in point at or behind the out point takes that away: a range never runs backwards. */
export function withIn({ out_s }: Marks, in_s: number): Marks {
  return { in_s, out_s: out_s !== null && out_s > in_s ? out_s : null };
}

export function withOut({ in_s }: Marks, out_s: number): Marks {
  return { in_s: in_s !== null && in_s < out_s ? in_s : null, out_s };
}

/** What is marked: an absent point is the start or the end. null when nothing is. */
export function rangeOf({ in_s, out_s }: Marks, length_s: number): Range | null {
  if (in_s === null && out_s === null) return null;
  return { start_s: in_s ?? 0, end_s: out_s ?? length_s };
}
