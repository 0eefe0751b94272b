/** A picture of one's own on its way to be searched with: chosen, pasted or dropped. */
import { keepPicture } from '../api/search';
import { saying } from '../saying';
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
    await saying(async () => address.similarToPicture(await keepPicture(file)));
    this.sending = false;
  }
}

export const ownPicture = new OwnPicture();
