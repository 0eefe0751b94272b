/** A picture of one's own on its way to be searched with: chosen, pasted or dropped. */
import { keepPicture } from '../api/search';
import { Problem } from '../api/problem';
import { address } from './address.svelte';
import { toasts } from './toasts.svelte';

class OwnPicture {
  sending = $state(false);

  async search(file: File): Promise<void> {
    if (/^(video|audio)\//.test(file.type)) {
      toasts.say('Search with a picture. Videos and sounds are found when they lie in a library.');
      return;
    }
    this.sending = true;
    try {
      address.similarToPicture(await keepPicture(file));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      toasts.say(error.message);
    } finally {
      this.sending = false;
    }
  }
}

export const ownPicture = new OwnPicture();
