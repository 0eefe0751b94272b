/** Does what a button asks for, and says a refusal where a person sees it. */
import { refusalOf } from './api/problem';
import { toasts } from './stores/toasts.svelte';

export async function saying(act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    toasts.say(refusalOf(error));
  }
}
