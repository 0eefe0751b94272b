/** The assets a person has chosen to do something with, wherever they are shown. */

class Selection {
  #chosen = new Set<string>();
  /** Counts changes: one signal for all tiles, of which few are in the page. */
  #changes = $state(0);

  get size(): number {
    void this.#changes;
    return this.#chosen.size;
  }

  /** In the order in which they were chosen. */
  get ids(): string[] {
    void this.#changes;
    return [...this.#chosen];
  }

  has(id: string): boolean {
    void this.#changes;
    return this.#chosen.has(id);
  }

  toggle(id: string): void {
    if (!this.#chosen.delete(id)) this.#chosen.add(id);
    this.#changes += 1;
  }

  add(ids: Iterable<string>): void {
    for (const id of ids) this.#chosen.add(id);
    this.#changes += 1;
  }

  remove(ids: Iterable<string>): void {
    for (const id of ids) this.#chosen.delete(id);
    this.#changes += 1;
  }

  clear(): void {
    if (!this.#chosen.size) return;
    this.#chosen.clear();
    this.#changes += 1;
  }
}

export const selection = new Selection();
