/** Files that a person dropped or chose and has not yet said where to put. */
import type { DroppedFile } from '../uploads/dropped';
import { toasts } from './toasts.svelte';

class Brought {
  files = $state.raw<DroppedFile[]>([]);
  /** Something was brought since the page was opened. */
  ever = $state(false);
  /** Lets a person choose files; set by what holds the field for it. */
  choose = (): void => undefined;

  /** `read` walks through what was brought, which takes a while for folders. */
  async bring(read: () => Promise<DroppedFile[]>): Promise<void> {
    try {
      const files = await read();
      if (!files.length) return toasts.say('There are no files in what you dropped.');
      this.files = files;
      this.ever = true;
    } catch (error) {
      // A folder that the browser may not read, or that was taken away meanwhile.
      if (!(error instanceof DOMException)) throw error;
      toasts.say(`What you dropped cannot be read: ${error.message}`);
    }
  }

  take(): void {
    this.files = [];
  }
}

export const brought = new Brought();
