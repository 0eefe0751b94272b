/** The parts of a query beside its sentence, in the words of a chip. */
import type { QueryPart } from './api/types';

const NAMES: Record<string, string> = {
  kind: 'kind',
  in: 'folder',
  library: 'library',
  tag: 'tag',
  '-tag': 'without tag',
  camera: 'camera',
  place: 'place',
  rating: 'rating',
  duration: 'length',
  quality: 'quality',
  loudness: 'loudness',
  bpm: 'tempo',
  key: 'key',
  date: 'taken',
  after: 'taken since',
  before: 'taken before',
};

export function partInWords({ role, name, text }: QueryPart): string {
  switch (role) {
    case 'excluded':
      return `without “${text}”`;
    case 'phrase':
      return `word for word “${text}”`;
    case 'date':
      return `taken: ${text}`;
    default:
      return `${NAMES[name ?? ''] ?? name}: ${text}`;
  }
}

/** It takes results away, and does not ask for them. */
export function isNegative({ role, name }: QueryPart): boolean {
  return role === 'excluded' || name === '-tag';
}
