/** What cannot work yet, why, and the command that mends it. */

export interface Need {
  who: string;
  reason: string;
  command: string | null;
}

/** Up to where prose goes on: a bracket, a quote, the end of a sentence or of a column. */
const COMMAND =
  /\b(?:dam (?:models|index|reindex|config|library)|apt install)\b(?:(?! {2})[^`'"\n.;,()])*/;

/** The first command that a sentence names. */
export function commandIn(sentence: string): string | null {
  return COMMAND.exec(sentence)?.[0].trim() ?? null;
}
