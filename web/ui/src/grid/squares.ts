/** A grid for tests: squares of about 200 px, 5 in a row. */
import { justify, type Geometry } from './justify';

export function squares(count: number): Geometry {
  const sections = count ? [{ start: 0, count, titled: false }] : [];
  return justify(count, () => 1, sections, {
    width_px: 1016,
    row_px: 200,
    gap_px: 4,
    section_gap_px: 20,
    heading_px: 48,
    caption_px: 0,
    least_section_px: 150,
  });
}
