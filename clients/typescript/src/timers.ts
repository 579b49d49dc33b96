/** The longest delay that `setTimeout` supports. */
const MAX_DELAY_MS = 2 ** 31 - 1;

interface Timer {
  readonly handle: ReturnType<typeof setTimeout>;
  readonly onStop: () => void;
}

/** All timers of a client, so that none outlives it. While stopped, no timer can be set. */
export class Timers {
  readonly #active = new Set<Timer>();
  #running = false;

  /**
   * Calls `callback` once after the delay and returns a function that cancels it. If all timers are stopped first,
   * `onStop` is called instead. Delays beyond the limit of `setTimeout` are cut to it.
   */
  after(delayMs: number, callback: () => void, onStop: () => void = () => {}): () => void {
    if (!this.#running) {
      onStop();
      return () => {};
    }
    const fire = () => {
      this.#active.delete(timer);
      callback();
    };
    const handle = setTimeout(fire, Math.min(Math.max(delayMs, 0), MAX_DELAY_MS));
    const timer: Timer = { handle, onStop };
    this.#active.add(timer);
    return () => {
      clearTimeout(handle);
      this.#active.delete(timer);
    };
  }

  start(): void {
    this.#running = true;
  }

  stop(): void {
    this.#running = false;
    const stopped = [...this.#active];
    this.#active.clear();
    for (const { handle } of stopped) clearTimeout(handle);
    for (const { onStop } of stopped) onStop();
  }
}
