/** An asset in words, for those who hear the grid. */
import type { AssetCard } from './api/types';
import { count, localTime, timecode } from './format';

/** A card never changes: a newer one is another one. */
const words = new WeakMap<AssetCard, string>();

/** Name, kind, length, date: what sets one tile apart from the next. */
export function describe(card: AssetCard | undefined): string {
  if (!card) return 'Loading';
  let said = words.get(card);
  if (said === undefined) words.set(card, (said = inWords(card)));
  return said;
}

function inWords(card: AssetCard): string {
  return [
    card.title || card.name,
    card.kind,
    card.duration_s === null ? null : timecode(card.duration_s),
    card.captured_local && localTime(card.captured_local),
    card.rating ? rated(card.rating) : null,
    card.pending ? 'still being looked at' : null,
    card.available ? null : 'its file is not to be had now',
  ]
    .filter(Boolean)
    .join(', ');
}

/** 1 to 5 stars; -1 is rejected. */
const rated = (rating: number): string =>
  rating < 0 ? 'rejected' : count(rating, 'star', 'stars');
