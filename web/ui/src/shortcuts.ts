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
      { keys: ['Ctrl Space'], does: 'Select, or take out of the selection' },
      { keys: ['Shift ←', 'Shift →'], does: 'Select a range' },
      { keys: ['Ctrl A'], does: 'Select all' },
      { keys: ['0', '…', '5'], does: 'Rate with stars' },
      { keys: ['Del'], does: 'Move to the trash' },
      { keys: ['Ctrl Z'], does: 'Take the last change back' },
      { keys: ['−', '+'], does: 'Smaller and larger pictures' },
    ],
  },
  {
    where: 'Looking through a tag',
    list: [
      { keys: ['A'], does: 'Approve it on what is selected, or on the picture with the focus' },
      { keys: ['R'], does: 'Reject it there' },
      { keys: ['U'], does: 'Forget what was decided' },
    ],
  },
  {
    where: 'Viewer',
    list: [
      { keys: ['←', '→'], does: 'Previous and next result' },
      { keys: ['0', '…', '5'], does: 'Rate with stars' },
      { keys: ['D'], does: 'Show or hide the details (photos: I)' },
      { keys: ['S'], does: 'Find similar ones, or frames like this one' },
      { keys: ['W'], does: 'Mark the writing in the picture, to select it' },
      { keys: ['P', 'Shift P'], does: 'Show or hide faces; draw a missed one' },
      { keys: ['Del'], does: 'Move to the trash' },
      { keys: ['Shift F'], does: 'Full screen' },
    ],
  },
  {
    where: 'Duplicates',
    list: [
      { keys: ['←', '→'], does: 'Previous and next group' },
      { keys: ['1', '…', '9'], does: 'Choose the copy to keep' },
      { keys: ['Del'], does: 'Move the others to the trash, after asking' },
      { keys: ['S'], does: 'Stack them' },
      { keys: ['A'], does: 'Keep all' },
      { keys: ['D'], does: 'These differ' },
      { keys: ['C'], does: 'Lay two pictures over each other' },
      { keys: ['Ctrl Z'], does: 'Take the last decision back' },
    ],
  },
  {
    where: 'Photo in the viewer',
    list: [
      { keys: ['Z', 'Enter'], does: 'Every pixel under the pointer, or fit' },
      { keys: ['+', '−'], does: 'Zoom in and out' },
      { keys: ['Shift ←', '→', '↑', '↓'], does: 'Look around in it' },
    ],
  },
  {
    where: 'Video and sound in the viewer',
    list: [
      { keys: ['Space'], does: 'Play and pause' },
      { keys: ['J', 'L'], does: 'Back and on; again: 2, 4, 8 times as fast' },
      { keys: ['K'], does: 'Stop; held: J and L step by frames' },
      { keys: [',', '.'], does: 'One frame back and on' },
      { keys: ['↑', '↓'], does: 'Previous and next shot' },
      { keys: ['T'], does: 'Show or hide the transcript' },
      { keys: ['V'], does: 'Show or hide subtitles' },
      { keys: ['H'], does: 'Show or hide what is heard' },
      { keys: ['Shift S'], does: 'Find what sounds like this second' },
      { keys: ['N', 'Shift N'], does: 'Next and previous moment that matched' },
      { keys: ['I', 'O'], does: 'Mark in and out; with Shift go there' },
      { keys: ['Shift Space'], does: 'Play what is marked' },
      { keys: ['R'], does: 'Repeat' },
      { keys: ['C'], does: 'Copy in and out as time codes' },
      { keys: ['X'], does: 'Clear the marks' },
      { keys: ['M'], does: 'Sound off and on' },
    ],
  },
];

const WRITTEN_IN = 'input, textarea, select, [contenteditable]';

export function isShortcut(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  return !isWriting(event);
}

/** True while a dialog lies over the page, the viewer or another: what happens is meant for that. */
export const isCovered = (): boolean => document.querySelector('dialog[open]') !== null;

/** True where keys are letters of a text, not commands. */
export function isWriting(event: Event): boolean {
  return event.target instanceof Element && event.target.closest(WRITTEN_IN) !== null;
}
