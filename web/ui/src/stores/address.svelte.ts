/** The address bar holds what is searched, how it is narrowed and what is open: a link is a view. */
import { filtersOf, type FilterName, type Filters } from '../api/filters';

class Address {
  path = $state(location.pathname);
  #query = $state.raw(new URLSearchParams(location.search));
  /** True when the viewer was opened from here, so that closing it can go back in the history. */
  #opened = false;

  constructor() {
    addEventListener('popstate', () => {
      this.path = location.pathname;
      this.#query = new URLSearchParams(location.search);
      this.#opened = false;
    });
  }

  get text(): string {
    return this.#query.get('q') ?? '';
  }

  /** Id of the asset to which similar ones are shown. */
  get like(): string | null {
    return this.#query.get('like');
  }

  get filters(): Filters {
    return filtersOf(this.#query);
  }

  /** Id of the asset shown in the viewer. */
  get open(): string | null {
    return this.#query.get('asset');
  }

  /** Second at which the open asset starts. */
  get at_s(): number | null {
    const value = Number.parseFloat(this.#query.get('at') ?? '');
    return Number.isFinite(value) && value >= 0 ? value : null;
  }

  /** While a person types the entry is replaced, so that "back" does not undo single letters. */
  search(text: string, { typing = false } = {}): void {
    const replace = typing && this.text !== '';
    this.#go({ q: text.trim() || null, like: null, asset: null, at: null }, replace);
  }

  filter(name: FilterName, value: string | null): void {
    this.#go({ [name]: value, asset: null, at: null });
  }

  /** Everything with one property, instead of what is searched now. */
  browse(name: FilterName, value: string): void {
    this.#query = new URLSearchParams();
    this.filter(name, value);
  }

  similarTo(asset: string): void {
    this.#go({ q: null, like: asset, asset: null, at: null });
  }

  forgetSimilar(): void {
    this.#go({ like: null });
  }

  show(asset: string, at_s: number | null = null): void {
    const walking = this.open !== null;
    this.#go({ asset, at: at_s === null ? null : at_s.toFixed(2) }, walking);
    if (!walking) this.#opened = true;
  }

  close(): void {
    if (this.#opened) history.back();
    else this.#go({ asset: null, at: null }, true);
  }

  home(): void {
    this.#query = new URLSearchParams();
    this.#go({});
  }

  #go(changes: Record<string, string | null>, replace = false): void {
    const query = new URLSearchParams(this.#query);
    for (const [name, value] of Object.entries(changes)) {
      if (value === null) query.delete(name);
      else query.set(name, value);
    }
    const url = query.size ? `/?${query}` : '/';
    if (replace) history.replaceState(null, '', url);
    else history.pushState(null, '', url);
    this.path = '/';
    this.#query = query;
    if (!replace) this.#opened = false;
  }
}

export const address = new Address();
