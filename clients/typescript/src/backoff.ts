/**
 * Exponential backoff with full jitter: each delay is random between zero and a ceiling that doubles, so that clients
 * that were disconnected together do not reconnect together.
 */
export class Backoff {
  #failures = 0;

  constructor(
    private readonly initialMs: number,
    private readonly maxMs: number,
    private readonly random: () => number,
  ) {}

  nextMs(): number {
    const ceilingMs = Math.min(this.maxMs, this.initialMs * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    return this.random() * ceilingMs;
  }

  reset(): void {
    this.#failures = 0;
  }
}

export function randomBetween(min: number, max: number, random: () => number): number {
  return min + random() * (max - min);
}
