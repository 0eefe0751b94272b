/** Short messages about what was done, each with the way back where there is one. */

/** Long enough to read a line; a message that can be undone stays until it is decided. */
const READ_MS = 5000;
const UNDO_MS = 10_000;
/** Older ones make room: more would cover the page. */
const MOST = 3;

export interface Toast {
  id: number;
  text: string;
  undo: (() => void | Promise<void>) | null;
}

class Toasts {
  list = $state.raw<Toast[]>([]);
  #next = 0;
  #timers = new Map<number, ReturnType<typeof setTimeout>>();

  say(text: string, { undo = null }: { undo?: Toast['undo'] } = {}): void {
    const toast: Toast = { id: this.#next++, text, undo };
    for (const old of this.list.slice(0, Math.max(0, this.list.length + 1 - MOST)))
      this.dismiss(old.id);
    this.list = [...this.list, toast];
    this.#start(toast);
  }

  dismiss(id: number): void {
    this.#stop(id);
    this.list = this.list.filter((toast) => toast.id !== id);
  }

  async undo(toast: Toast): Promise<void> {
    this.dismiss(toast.id);
    await toast.undo?.();
  }

  /** Takes back what was done last; false when nothing shown can be. */
  undoLast(): boolean {
    const last = this.list.findLast(({ undo }) => undo !== null);
    if (last) void this.undo(last);
    return last !== undefined;
  }

  /** While a person points at the messages none of them goes away. */
  hold(): void {
    for (const { id } of this.list) this.#stop(id);
  }

  release(): void {
    for (const toast of this.list) this.#start(toast);
  }

  #start(toast: Toast): void {
    this.#stop(toast.id);
    const shown_ms = toast.undo ? UNDO_MS : READ_MS;
    this.#timers.set(
      toast.id,
      setTimeout(() => this.dismiss(toast.id), shown_ms),
    );
  }

  #stop(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }
}

export const toasts = new Toasts();
