/** What is heard, as lanes along the time: a lane a sound, a mark each time that it is heard. */
import type { HeardEvent } from '../api/types';

export interface Mark {
  start_s: number;
  end_s: number;
  /** The surest of those that it stands for. */
  confidence: number;
  /** How many times it is heard there: those too near to be told apart are one mark. */
  times: number;
}

export interface Lane {
  label: string;
  marks: Mark[];
}

/** Lanes, what is heard longest first. Events are in time order; those of one sound nearer than
 * `gap_s` are one mark, so that a lane never holds more marks than the screen can show. */
export function lanesOf(events: readonly HeardEvent[], gap_s: number): Lane[] {
  const lanes = new Map<string, Mark[]>();
  const heard_s = new Map<string, number>();
  for (const { label, start_s, end_s, confidence } of events) {
    heard_s.set(label, (heard_s.get(label) ?? 0) + end_s - start_s);
    const marks = lanes.get(label) ?? [];
    lanes.set(label, marks);
    const last = marks.at(-1);
    if (last && start_s - last.end_s < gap_s) {
      last.end_s = Math.max(last.end_s, end_s);
      last.confidence = Math.max(last.confidence, confidence);
      last.times += 1;
    } else {
      marks.push({ start_s, end_s, confidence, times: 1 });
    }
  }
  return [...lanes]
    .map(([label, marks]) => ({ label, marks }))
    .toSorted((a, b) => (heard_s.get(b.label) ?? 0) - (heard_s.get(a.label) ?? 0));
}

/** Where a key leads from a mark: along its lane, or to the nearest in time of another lane. */
export function markBeside(
  lanes: readonly Lane[],
  [lane, mark]: readonly [number, number],
  key: string,
): [number, number] | null {
  const here = lanes[lane];
  const at = here?.marks[mark];
  if (!here || !at) return null;
  const last = here.marks.length - 1;
  const along = {
    ArrowLeft: mark - 1,
    ArrowRight: mark + 1,
    Home: 0,
    End: last,
  }[key];
  if (along !== undefined) return [lane, Math.min(last, Math.max(0, along))];
  const step = { ArrowUp: -1, ArrowDown: 1 }[key];
  if (step === undefined) return null;
  const other = Math.min(lanes.length - 1, Math.max(0, lane + step));
  const distances = lanes[other]?.marks.map(({ start_s }) => Math.abs(start_s - at.start_s)) ?? [];
  return [other, distances.indexOf(Math.min(...distances))];
}
