/** The keys of the app. Each is inactive where a person writes, and with a modifier held. */

export interface Shortcut {
  keys: string[];
  does: string;
}

export const SHORTCUTS: { where: string; list: Shortcut[] }[] = [
  {
    where: 'Everywhere',
    list: [
      { keys: ['/', 'Ctrl K'], does: 'Search' },
      { keys: ['?'], does: 'Show these keys' },
      { keys: ['Esc'], does: 'Close' },
    ],
  },
  {
    where: 'Grid',
    list: [
      { keys: ['←', '→', '↑', '↓'], does: 'Walk the pictures' },
      { keys: ['Home', 'End'], does: 'First and last picture' },
      { keys: ['Enter', 'Space'], does: 'Open' },
    ],
  },
  {
    where: 'Viewer',
    list: [
      { keys: ['←', '→'], does: 'Previous and next result' },
      { keys: ['Space', 'K'], does: 'Play and pause' },
      { keys: ['J', 'L'], does: 'Back and on by 5 seconds' },
      { keys: ['N'], does: 'Next moment' },
      { keys: ['I'], does: 'Show or hide the details' },
      { keys: ['S'], does: 'Find similar ones' },
    ],
  },
];

const WRITTEN_IN = 'input, textarea, select, [contenteditable]';

export function isShortcut(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  return !isWriting(event);
}

/** True where keys are letters of a text, not commands. */
export function isWriting(event: Event): boolean {
  return event.target instanceof Element && event.target.closest(WRITTEN_IN) !== null;
}
