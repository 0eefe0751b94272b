/** For `{@attach}`: what is pressed here is not the stage's, which would take it for a tap or a drag. */
export function ownPointer(element: HTMLElement): () => void {
  const stop = new AbortController();
  // The stage listens to the element itself, before the listeners of components are called.
  for (const type of ['pointerdown', 'pointermove', 'pointerup'] as const)
    element.addEventListener(type, (event) => event.stopPropagation(), { signal: stop.signal });
  return () => stop.abort();
}
