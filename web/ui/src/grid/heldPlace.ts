/** Remembers what the window shows of a grid, so that it shows the same when the list or the width changes. */
import { rowAt, rowOf, type Geometry } from './justify';

export class HeldPlace {
  /** The first picture of the topmost row, and how far below the window's edge that row begins. */
  #held: { asset: string; below_px: number } | null = null;

  /** `top_px`: of the window in the grid. Above the grid there is nothing to hold. */
  hold(geometry: Geometry, top_px: number, id: (index: number) => string): void {
    if (top_px <= 0 || !geometry.left.length) {
      this.#held = null;
      return;
    }
    const row = rowAt(geometry, top_px);
    this.#held = {
      asset: id(geometry.row_first[row] ?? 0),
      below_px: (geometry.row_top[row] ?? 0) - top_px,
    };
  }

  /** How far the window has to be scrolled to show it again; 0 when it is held no more. */
  shift_px(geometry: Geometry, top_px: number, indexOf: (asset: string) => number): number {
    if (!this.#held || !geometry.left.length) return 0;
    const index = indexOf(this.#held.asset);
    if (index < 0) return 0;
    return (geometry.row_top[rowOf(geometry, index)] ?? 0) - this.#held.below_px - top_px;
  }
}
