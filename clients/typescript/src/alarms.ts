/** The longest time that `setTimeout` can wait. */
const LONGEST = 2 ** 31 - 1;

/** All timers of a client, so that none outlives it. */
export class Alarms {
  readonly #set = new Set<ReturnType<typeof setTimeout>>();

  /** Rings once, unless it is cancelled by calling what is given back. What is further away than a timer can wait rings earlier. */
  after(milliseconds: number, ring: () => void): () => void {
    const timer = setTimeout(() => {
      this.#set.delete(timer);
      ring();
    }, Math.min(Math.max(milliseconds, 0), LONGEST));
    this.#set.add(timer);
    return () => {
      clearTimeout(timer);
      this.#set.delete(timer);
    };
  }

  clear(): void {
    for (const timer of this.#set) clearTimeout(timer);
    this.#set.clear();
  }

  get size(): number {
    return this.#set.size;
  }
}
