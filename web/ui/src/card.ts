/** An asset in words, for those who hear the grid. */
import type { AssetCard } from './api/types';
import { localTime, timecode } from './format';

/** Name, kind, length, date: what sets one tile apart from the next. */
export function describe(card: AssetCard | undefined): string {
  if (!card) return 'Loading';
  return [
    card.title || card.name,
    card.kind,
    card.duration_s === null ? null : timecode(card.duration_s),
    card.captured_local && localTime(card.captured_local),
    card.rating ? `${card.rating} stars` : null,
    card.available ? null : 'its file is not to be had now',
  ]
    .filter(Boolean)
    .join(', ');
}
