/** Boxes around faces, in parts of the picture. */
import type { Box } from '../api/people';

export interface Spot {
  x: number;
  y: number;
}

/** Smaller ones are slips of the hand: no face is to be seen in them. */
export const LEAST = 0.008;

const inside = (part: number): number => Math.min(1, Math.max(0, part));

/** The box between two corners, whichever was drawn first; it ends at the picture's edge. */
export function boxBetween(one: Spot, other: Spot): Box {
  const [left, right] = [one.x, other.x].map(inside).toSorted((a, b) => a - b) as [number, number];
  const [top, bottom] = [one.y, other.y].map(inside).toSorted((a, b) => a - b) as [number, number];
  return { left, top, width: right - left, height: bottom - top };
}

/** Moved by parts of the picture, without leaving it. */
export function movedBox(box: Box, by: Spot): Box {
  return {
    ...box,
    left: Math.min(1 - box.width, Math.max(0, box.left + by.x)),
    top: Math.min(1 - box.height, Math.max(0, box.top + by.y)),
  };
}

/** Its right and lower edge moved, within the picture. */
export function grownBox(box: Box, by: Spot): Box {
  return {
    ...box,
    width: Math.min(1 - box.left, Math.max(LEAST, box.width + by.x)),
    height: Math.min(1 - box.top, Math.max(LEAST, box.height + by.y)),
  };
}
