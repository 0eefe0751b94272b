/** What this browser keeps from one visit to the next. Where storage is refused or full, the app goes on without. */

type Where = 'localStorage' | 'sessionStorage';

export function kept(key: string, where: Where = 'localStorage'): string | null {
  try {
    return globalThis[where].getItem(key);
  } catch {
    return null;
  }
}

/** null for what was never kept, and for what is not ours. */
export function keptJson(key: string, where?: Where): unknown {
  try {
    return JSON.parse(kept(key, where) ?? 'null');
  } catch {
    return null;
  }
}

/** null forgets it. */
export function keep(key: string, value: string | null, where: Where = 'localStorage'): void {
  try {
    if (value === null) globalThis[where].removeItem(key);
    else globalThis[where].setItem(key, value);
  } catch {
    // It lives as long as the page.
  }
}
