/** The longest time that `setTimeout` can wait. */
const LONGEST = 2 ** 31 - 1;

interface Alarm {
  readonly timer: ReturnType<typeof setTimeout>;
  readonly stopped: () => void;
}

/** All timers of a client, so that none outlives it. While it is stopped none is set. */
export class Alarms {
  readonly #set = new Set<Alarm>();
  #running = false;

  /**
   * Rings once, unless it is cancelled by calling what is given back; `stopped` is called instead where all alarms are stopped before.
   * What is further away than a timer can wait rings earlier.
   */
  after(milliseconds: number, ring: () => void, stopped: () => void = () => {}): () => void {
    if (!this.#running) {
      stopped();
      return () => {};
    }
    const timer = setTimeout(() => {
      this.#set.delete(alarm);
      ring();
    }, Math.min(Math.max(milliseconds, 0), LONGEST));
    const alarm: Alarm = { timer, stopped };
    this.#set.add(alarm);
    return () => {
      clearTimeout(timer);
      this.#set.delete(alarm);
    };
  }

  start(): void {
    this.#running = true;
  }

  stop(): void {
    this.#running = false;
    const alarms = [...this.#set];
    this.#set.clear();
    for (const { timer } of alarms) clearTimeout(timer);
    for (const { stopped } of alarms) stopped();
  }
}
