/** Which part of a half-typed query is completed, and what the query becomes when it is. */
import type { SuggestionKind } from './api/types';

export interface Fragment {
  /** What is completed. */
  text: string;
  /** The one kind of value that may stand here; null for any. */
  kind: SuggestionKind | null;
  /** The query before it. */
  before: string;
}

/** The keys of the search language that take such values. */
const KEYS: Record<string, SuggestionKind> = {
  tag: 'tag',
  keyword: 'tag',
  place: 'place',
  location: 'place',
  camera: 'camera',
  in: 'folder',
  folder: 'folder',
};
const KEYED = /(?:^|\s)(?<key>[a-z]+):(?:"(?<quoted>[^"]*)|(?<bare>[^\s"]*))$/i;
/** Values of one letter are too many to be a help. */
const LEAST = 2;

/** Everything that could be completed: a value after its key, else all that was typed and its last word. */
export function fragmentsOf(typed: string): Fragment[] {
  const keyed = KEYED.exec(typed);
  const kind = KEYS[keyed?.groups?.key?.toLowerCase() ?? ''];
  if (keyed?.groups && kind) {
    const { quoted, bare } = keyed.groups;
    return [{ text: quoted ?? bare ?? '', kind, before: typed.slice(0, keyed.index).trim() }];
  }
  const whole = typed.trim();
  const last = /\S+$/.exec(typed)?.[0] ?? '';
  const fragments: Fragment[] = [{ text: whole, kind: null, before: '' }];
  if (last !== whole)
    fragments.push({ text: last, kind: null, before: whole.slice(0, -last.length).trim() });
  return fragments.filter(({ text }) => text.length >= LEAST && !/[:"]|^-/.test(text));
}

/** `tag:"golden hour"`: a further value of a kind of which the address holds one already. */
export function written(kind: SuggestionKind, value: string): string {
  const key = kind === 'folder' ? 'in' : kind;
  const plain = value.replaceAll('"', ' ');
  return /\s/.test(plain) ? `${key}:"${plain}"` : `${key}:${plain}`;
}
