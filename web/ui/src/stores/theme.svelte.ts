/** Light or dark: the system's choice until a person makes another, which this browser remembers. */

import { keep, kept } from '../kept';

type Scheme = 'light' | 'dark';

const KEY = 'dam.theme';
const system = matchMedia('(prefers-color-scheme: dark)');

function remembered(): Scheme | null {
  const value = kept(KEY);
  return value === 'light' || value === 'dark' ? value : null;
}

class Theme {
  #chosen = $state<Scheme | null>(remembered());
  #system = $state<Scheme>(system.matches ? 'dark' : 'light');

  constructor() {
    system.addEventListener('change', () => (this.#system = system.matches ? 'dark' : 'light'));
  }

  get scheme(): Scheme {
    return this.#chosen ?? this.#system;
  }

  toggle(): void {
    const next = this.scheme === 'dark' ? 'light' : 'dark';
    // Back at the system's own choice there is nothing to remember: follow it again.
    this.#chosen = next === this.#system ? null : next;
    keep(KEY, this.#chosen);
    this.apply();
  }

  apply(): void {
    if (this.#chosen) document.documentElement.dataset.theme = this.#chosen;
    else delete document.documentElement.dataset.theme;
  }
}

export const theme = new Theme();
