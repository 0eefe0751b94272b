/**
 * Places pictures of any shape in rows that fill the width, section after section, exactly and at
 * once: the height of a grid of 100,000 is known before one picture is. Pure arithmetic over
 * numbers; it knows no page and no asset.
 */

export interface Section {
  /** First index, and how many belong to it. Sections follow each other without gaps. */
  start: number;
  count: number;
  /** False: no heading stands above it. */
  titled: boolean;
}

export interface Spacing {
  width_px: number;
  /** Height that rows have about; those that are filled differ from it by up to a third. */
  row_px: number;
  gap_px: number;
  /** Between short sections that stand side by side. */
  section_gap_px: number;
  heading_px: number;
  /** Room below every picture of a row, for what is said about it. */
  caption_px: number;
  /** A section narrower than this could not show its heading. */
  least_section_px: number;
}

/** All in px from the top left of the grid; rows, sections and pictures in order. */
export interface Geometry {
  height_px: number;
  /** Top of each row's pictures; `rows + 1` entries, the last one is the end. */
  row_top: Float64Array;
  row_height: Float32Array;
  /** First picture of each row; `rows + 1` entries, the last one is the count. */
  row_first: Int32Array;
  left: Float32Array;
  width: Float32Array;
  section_left: Float32Array;
  section_width: Float32Array;
  /** Row in which each section begins. */
  section_row: Int32Array;
}

/** Narrower or wider pictures are cut to these, so that one never takes a row by itself. */
const NARROWEST = 0.56;
const WIDEST = 3.2;
/** Short sections side by side grow at most so much to fill their row. */
const STRETCH = 1.28;

function clampAspect(aspect: number): number {
  return Math.min(WIDEST, Math.max(NARROWEST, aspect));
}

/** `aspect(i)` is width / height of picture `i`, above 0. */
export function justify(
  count: number,
  aspect: (i: number) => number,
  sections: readonly Section[],
  spacing: Spacing,
): Geometry {
  const builder = new Builder(count, aspect, sections, spacing);
  for (let i = 0; i < sections.length;) i = builder.placeFrom(i);
  return builder.finish();
}

class Builder {
  #aspects: Float32Array;
  #top_px = 0;
  #row_top: number[] = [];
  #row_height: number[] = [];
  #row_first: number[] = [];
  #left: Float32Array;
  #width: Float32Array;
  #section_left: Float32Array;
  #section_width: Float32Array;
  #section_row: Int32Array;

  constructor(
    readonly count: number,
    aspect: (i: number) => number,
    readonly sections: readonly Section[],
    readonly spacing: Spacing,
  ) {
    this.#aspects = Float32Array.from({ length: count }, (_, i) => clampAspect(aspect(i)));
    this.#left = new Float32Array(count);
    this.#width = new Float32Array(count);
    this.#section_left = new Float32Array(sections.length);
    this.#section_width = new Float32Array(sections.length);
    this.#section_row = new Int32Array(sections.length);
  }

  /** Places the section, and those after it that fit beside it; returns the next one to place. */
  placeFrom(section: number): number {
    const end = this.#endOfLine(section);
    if (end - section === 1) this.#placeAlone(section);
    else this.#placeTogether(section, end);
    return end;
  }

  finish(): Geometry {
    const height_px = Math.max(0, this.#top_px - this.spacing.gap_px);
    return {
      height_px,
      row_top: Float64Array.from([...this.#row_top, height_px]),
      row_height: Float32Array.from(this.#row_height),
      row_first: Int32Array.from([...this.#row_first, this.count]),
      left: this.#left,
      width: this.#width,
      section_left: this.#section_left,
      section_width: this.#section_width,
      section_row: this.#section_row,
    };
  }

  /** Width of a section whose pictures stand in one row of the usual height. */
  #naturalWidth({ start, count }: Section): number {
    const { row_px, gap_px, width_px } = this.spacing;
    let width = -gap_px;
    for (let i = start; i < start + count && width <= width_px; i += 1)
      width += this.#aspect(i) * row_px + gap_px;
    return width;
  }

  #aspect(i: number): number {
    return this.#aspects[i] ?? 1;
  }

  #sectionWidth(section: Section): number {
    return Math.max(this.#naturalWidth(section), this.spacing.least_section_px);
  }

  #endOfLine(first: number): number {
    const { width_px, section_gap_px } = this.spacing;
    let used = 0;
    let end = first;
    for (; end < this.sections.length; end += 1) {
      const section = this.sections[end];
      // Only headings tell sections apart that stand side by side.
      if (!section?.titled) break;
      const width = this.#sectionWidth(section);
      if (used + width > width_px) break;
      used += width + section_gap_px;
    }
    return Math.max(end, first + 1);
  }

  #placeTogether(first: number, end: number): void {
    const { width_px, section_gap_px, row_px, gap_px, least_section_px } = this.spacing;
    const members = this.sections.slice(first, end);
    const natural = members.reduce((sum, each) => sum + this.#sectionWidth(each), 0);
    const gaps = section_gap_px * (members.length - 1);
    const inner = members.reduce((sum, { count }) => sum + gap_px * (count - 1), 0);
    const grown = (width_px - gaps - inner) / (natural - inner);
    // The last line of all stays as it is, like the last line of a paragraph.
    const scale = grown <= STRETCH && members.every((each) => this.#fits(each)) ? grown : 1;
    this.#startRow(first, members[0]?.start ?? 0, true);
    let left_px = 0;
    for (const [i, section] of members.entries()) {
      this.#section_left[first + i] = left_px;
      this.#section_row[first + i] = this.#row_top.length - 1;
      const width = this.#placeRun(
        section.start,
        section.start + section.count,
        left_px,
        row_px * scale,
      );
      const taken = Math.max(width, least_section_px);
      this.#section_width[first + i] = taken;
      left_px += taken + section_gap_px;
    }
    this.#endRow(row_px * scale);
  }

  /** Its pictures, not its heading, decide how wide it is: only then scaling fills the row. */
  #fits(section: Section): boolean {
    return this.#naturalWidth(section) >= this.spacing.least_section_px;
  }

  #placeAlone(index: number): void {
    const section = this.sections[index];
    if (!section) return;
    const { width_px, row_px } = this.spacing;
    this.#section_left[index] = 0;
    this.#section_width[index] = width_px;
    this.#section_row[index] = this.#row_top.length;
    const end = section.start + section.count;
    for (let i = section.start; i < end;) {
      const { next, height_px } = this.#row(i, end);
      this.#startRow(index, i, i === section.start);
      this.#placeRun(i, next, 0, height_px ?? row_px);
      this.#endRow(height_px ?? row_px);
      i = next;
    }
  }

  /** Where the row from `first` ends, and how high it is when filled; null: it is not full. */
  #row(first: number, end: number): { next: number; height_px: number | null } {
    const { width_px, row_px, gap_px } = this.spacing;
    let aspects = 0;
    for (let i = first; i < end; i += 1) {
      const before = aspects;
      aspects += this.#aspect(i);
      const height_px = (width_px - gap_px * (i - first)) / aspects;
      if (height_px > row_px) continue;
      // One picture too many makes the row low, one too few high: take what is nearer.
      const without_px = before ? (width_px - gap_px * (i - first - 1)) / before : Infinity;
      if (without_px / row_px < row_px / height_px) return { next: i, height_px: without_px };
      return { next: i + 1, height_px };
    }
    // A last row that is nearly full is filled too: a hole of a few pixels looks like a mistake.
    const filled_px = (width_px - gap_px * (end - first - 1)) / aspects;
    return { next: end, height_px: filled_px <= row_px * 1.12 ? filled_px : null };
  }

  #startRow(section: number, first: number, isFirst: boolean): void {
    const { heading_px } = this.spacing;
    if (isFirst && this.sections[section]?.titled) this.#top_px += heading_px;
    this.#row_top.push(this.#top_px);
    this.#row_first.push(first);
  }

  #endRow(height_px: number): void {
    this.#row_height.push(height_px);
    this.#top_px += height_px + this.spacing.caption_px + this.spacing.gap_px;
  }

  /** Pictures side by side from `left_px`; returns how wide they are together. */
  #placeRun(from: number, to: number, left_px: number, height_px: number): number {
    let at = left_px;
    for (let i = from; i < to; i += 1) {
      const width = this.#aspect(i) * height_px;
      this.#left[i] = at;
      this.#width[i] = width;
      at += width + this.spacing.gap_px;
    }
    return at - this.spacing.gap_px - left_px;
  }
}

/** The last row whose top is at or above `top_px`; 0 when none is. */
export function rowAt(geometry: Geometry, top_px: number): number {
  return lastAtMost(geometry.row_top, geometry.row_height.length, top_px);
}

export function rowOf(geometry: Geometry, index: number): number {
  return lastAtMost(geometry.row_first, geometry.row_height.length, index);
}

/** Index of the last of the first `length` ascending values that is at most `value`; 0 when none is. */
function lastAtMost(values: ArrayLike<number>, length: number, value: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] ?? Infinity) <= value) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

/** The picture in the next row (`step` 1) or the row before (-1) that lies nearest by its centre. */
export function inNextRow(geometry: Geometry, index: number, step: 1 | -1): number {
  const row = rowOf(geometry, index) + step;
  if (row < 0 || row >= geometry.row_height.length) return index;
  const centre = (i: number): number => (geometry.left[i] ?? 0) + (geometry.width[i] ?? 0) / 2;
  const here = centre(index);
  const first = geometry.row_first[row] ?? 0;
  const end = geometry.row_first[row + 1] ?? first;
  let best = first;
  for (let i = first; i < end; i += 1)
    if (Math.abs(centre(i) - here) < Math.abs(centre(best) - here)) best = i;
  return best;
}
