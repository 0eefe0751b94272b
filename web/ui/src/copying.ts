/** Puts words on the clipboard, and says how that went. */

export const COPIED = 'Copied';

/** Copying is allowed on localhost and https alone; elsewhere the words can be marked by hand. */
export async function copied(words: string): Promise<string> {
  try {
    await navigator.clipboard.writeText(words);
    return COPIED;
  } catch (error) {
    if (!(error instanceof DOMException || error instanceof TypeError)) throw error;
    return 'This browser does not let a page copy here';
  }
}
