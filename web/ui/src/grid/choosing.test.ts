import { beforeEach, expect, it } from 'vitest';
import { selection } from '../stores/selection.svelte';
import { Choosing } from './choosing';

let list: string[];
let choosing: Choosing;

beforeEach(() => {
  selection.clear();
  list = ['a', 'b', 'c', 'd', 'e'];
  choosing = new Choosing({ id: (i) => list[i] ?? '', indexOf: (id) => list.indexOf(id) });
});

it('draws a range out from where the last choice was made, in both directions', () => {
  choosing.toggle(2);
  choosing.rangeTo(4);
  choosing.rangeTo(1);
  expect(selection.ids.toSorted()).toEqual(['b', 'c', 'd', 'e']);
});

it('begins a range at the same asset when others have come before it', () => {
  choosing.startAt(1);
  list = ['new', ...list];
  choosing.rangeTo(3);
  expect(selection.ids).toEqual(['b', 'c']);
});

it('chooses one alone when that where the range began has gone', () => {
  choosing.startAt(4);
  list = ['a', 'b', 'c'];
  choosing.rangeTo(1);
  expect(selection.ids).toEqual(['b']);
});

it('chooses all', () => {
  choosing.all(list.length);
  expect(selection.ids).toEqual(list);
});
