/** How large pictures are in every grid: one choice, which this browser remembers. */

import { keep, kept } from '../kept';

const KEY = 'dam.density';
/** Of the usual height of a row. Smaller ones would show no picture, larger ones one a row. */
const SCALES = [0.55, 0.75, 1, 1.4, 1.9];
const USUAL = 2;

function remembered(): number {
  const level = Number.parseInt(kept(KEY) ?? '', 10);
  return level >= 0 && level < SCALES.length ? level : USUAL;
}

class Density {
  #level = $state(remembered());

  get scale(): number {
    return SCALES[this.#level] ?? 1;
  }

  get smallest(): boolean {
    return this.#level === 0;
  }

  get largest(): boolean {
    return this.#level === SCALES.length - 1;
  }

  step(by: 1 | -1): void {
    this.#level = Math.min(SCALES.length - 1, Math.max(0, this.#level + by));
    keep(KEY, String(this.#level));
  }
}

export const density = new Density();
