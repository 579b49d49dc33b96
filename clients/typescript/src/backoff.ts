/**
 * Waits that double, each with full jitter: anything between nothing and the whole, so that clients who lost their connections at the
 * same moment do not come back at the same moment.
 */
export class Backoff {
  #failures = 0;

  constructor(
    private readonly first: number,
    private readonly longest: number,
    private readonly random: () => number,
  ) {}

  next(): number {
    const whole = Math.min(this.longest, this.first * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    return this.random() * whole;
  }

  reset(): void {
    this.#failures = 0;
  }
}

/** Some time between two. */
export function between(from: number, to: number, random: () => number): number {
  return from + random() * (to - from);
}
