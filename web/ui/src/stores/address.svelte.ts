/** The address bar holds what is searched, how it is narrowed and what is open: a link is a view. */
import { FILTERS, filtersOf, type FilterName, type Filters } from '../api/filters';
import { scroll } from './scroll';

/** Parts of the query that add to a page: the viewer over it, weaker matches below it. It stays where it is. */
const OVERLAY = ['asset', 'at', 'weak'];
const NOTHING_SEARCHED = {
  q: null,
  like: null,
  like_at: null,
  like_by: null,
  picture: null,
  weak: null,
};

class Address {
  path = $state(location.pathname);
  #query = $state.raw(new URLSearchParams(location.search));
  /** True when the viewer was opened from here, so that closing it can go back in the history. */
  #opened = false;

  constructor() {
    addEventListener('popstate', (event) => {
      const left = this.#page;
      scroll.arrive(event.state);
      this.path = location.pathname;
      this.#query = new URLSearchParams(location.search);
      this.#opened = false;
      if (this.#page !== left) scroll.restore();
    });
    scroll.restore();
  }

  /** The parts of the path, decoded: "/folders/ab12/2024" is ["folders", "ab12", "2024"]. */
  get segments(): string[] {
    return this.path.split('/').filter(Boolean).map(decoded);
  }

  get text(): string {
    return this.#query.get('q') ?? '';
  }

  /** Id of the asset to which similar ones are shown. */
  get like(): string | null {
    return this.#query.get('like');
  }

  /** Second of the frame that is meant, when `like` is a video; null for all of it. */
  get likeAt_s(): number | null {
    return secondOf(this.#query.get('like_at'));
  }

  /** What it sounds like is meant, not what it looks like. */
  get likeSound(): boolean {
    return this.#query.get('like_by') === 'sound';
  }

  /** Id of a kept picture of one's own to which similar ones are shown. */
  get picture(): string | null {
    return this.#query.get('picture');
  }

  /** Something is searched, so that results are shown and not the library. */
  get searching(): boolean {
    return this.text !== '' || this.like !== null || this.picture !== null;
  }

  /** Weaker matches are shown too. */
  get unfolded(): boolean {
    return this.#query.has('weak');
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
    return secondOf(this.#query.get('at'));
  }

  /** To a page of the app, with the query it brings; what was searched is left behind. */
  go(url: string): void {
    const to = new URL(url, location.origin);
    this.#arrive(to.pathname, to.searchParams);
  }

  /** Lets the app follow links within it; any other click is the browser's. */
  follow(event: MouseEvent): boolean {
    if (event.defaultPrevented || event.button !== 0) return false;
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return false;
    const link = event.target instanceof Element ? event.target.closest('a[href]') : null;
    if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute('download'))
      return false;
    if (link.origin !== location.origin || link.pathname.startsWith('/api/')) return false;
    event.preventDefault();
    this.go(link.href);
    return true;
  }

  /** While a person types the entry is replaced, so that "back" does not undo single letters. */
  search(text: string, { typing = false } = {}): void {
    const replace = typing && this.text !== '';
    this.#list({ ...NOTHING_SEARCHED, q: text.trim() || null }, replace);
  }

  /** Narrows the list that is shown: of a folder in its page, else of everything. */
  filter(name: FilterName, value: string | null): void {
    this.narrow({ [name]: value });
  }

  /** Several filters at once, as one step of the history; others stay as they are. */
  narrow(filters: Partial<Record<FilterName, string | null>>): void {
    this.#list(filters);
  }

  /** Takes the filters away and leaves what is searched. */
  clearFilters(): void {
    this.narrow(Object.fromEntries(FILTERS.map((name) => [name, null])));
  }

  /** A search in other words and with another filter at once: what a suggestion stands for. */
  searchWithin(text: string, name: FilterName, value: string): void {
    this.#list({ ...NOTHING_SEARCHED, q: text.trim() || null, [name]: value });
  }

  /** Everything with one property, instead of what is searched now. */
  browse(name: FilterName, value: string): void {
    this.#arrive('/', new URLSearchParams({ [name]: value }));
  }

  /** Shows weaker matches too: a step of its own, so that "back" folds them away again. */
  unfold(): void {
    this.#list({ weak: '1' });
  }

  /** What looks (or sounds) like an asset; like one second of it where `at_s` says which. */
  similarTo(asset: string, at_s: number | null = null, bySound = false): void {
    const like_at = at_s === null ? null : at_s.toFixed(2);
    const like_by = bySound ? 'sound' : null;
    const searched = { ...NOTHING_SEARCHED, like: asset, like_at, like_by };
    this.#arrive('/', this.#changed({ ...searched, asset: null, at: null }));
  }

  /** What looks like a picture of one's own that the server keeps. */
  similarToPicture(picture: string): void {
    const searched = { ...NOTHING_SEARCHED, picture };
    this.#arrive('/', this.#changed({ ...searched, asset: null, at: null }));
  }

  forgetSimilar(): void {
    this.#list({ like: null, like_at: null, like_by: null, picture: null });
  }

  show(asset: string, at_s: number | null = null): void {
    const walking = this.open !== null;
    const at = at_s === null ? null : at_s.toFixed(2);
    this.#arrive(this.path, this.#changed({ asset, at }), walking);
    if (!walking) this.#opened = true;
  }

  close(): void {
    if (this.#opened) history.back();
    else this.#arrive(this.path, this.#changed({ asset: null, at: null }), true);
  }

  home(): void {
    this.go('/');
  }

  /** What lies below the viewer: two addresses with the same page differ in the viewer alone. */
  get #page(): string {
    const query = new URLSearchParams(this.#query);
    for (const name of OVERLAY) query.delete(name);
    return `${this.path}?${query}`;
  }

  #list(changes: Record<string, string | null>, replace = false): void {
    const inFolder = this.segments[0] === 'folders' && !('q' in changes);
    const query = this.#changed({ ...changes, asset: null, at: null });
    this.#arrive(inFolder ? this.path : '/', query, replace);
  }

  #changed(changes: Record<string, string | null>): URLSearchParams {
    const query = new URLSearchParams(this.#query);
    for (const [name, value] of Object.entries(changes)) {
      if (value === null) query.delete(name);
      else query.set(name, value);
    }
    return query;
  }

  #arrive(path: string, query: URLSearchParams, replace = false): void {
    const left = this.#page;
    const url = query.size ? `${path}?${query}` : path;
    if (replace) history.replaceState(scroll.stay(), '', url);
    else history.pushState(scroll.leave(), '', url);
    this.path = path;
    this.#query = query;
    if (!replace) this.#opened = false;
    if (this.#page !== left) scroll.toTop();
  }
}

/** A number that is none, or negative, counts as not given. */
function secondOf(text: string | null): number | null {
  const value = Number.parseFloat(text ?? '');
  return Number.isFinite(value) && value >= 0 ? value : null;
}

/** A path that was written by hand may hold a stray percent sign. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const address = new Address();
