/** What cannot work yet, why, and the command that mends it. */

export interface Need {
  who: string;
  reason: string;
  command: string | null;
}

/** Up to where prose goes on: a bracket, a quote, the end of a sentence or of a column. */
const COMMAND = /\bdam (?:models|index|reindex|config|library)\b(?:(?! {2})[^`'"\n.;,()])*/;

/** The first command of ours that a sentence names. */
export function commandIn(sentence: string): string | null {
  return COMMAND.exec(sentence)?.[0].trim() ?? null;
}
