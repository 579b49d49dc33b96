import type { Alarms } from "./alarms.js";
import type { Timing } from "./api.js";
import { Backoff } from "./backoff.js";
import type { Connection } from "./connection.js";
import type { Link } from "./link.js";
import type { Requests } from "./requests.js";
import { readToken, type TokenClaims } from "./token.js";

/** Makes a connection's session outlast the token that it began with. */
export class Session {
  #link: Link | null = null;
  #until: number | null = null;
  #cancel = () => {};
  readonly #backoff: Backoff;

  constructor(
    private readonly connection: Connection,
    private readonly requests: Requests,
    private readonly timing: Timing,
    random: () => number,
    private readonly alarms: Alarms,
  ) {
    this.#backoff = new Backoff(timing.firstBackoff, timing.longestBackoff, random);
  }

  begin(link: Link, claims: TokenClaims): void {
    this.#link = link;
    this.#backoff.reset();
    this.#lasts(claims.expiresAt);
  }

  stop(): void {
    this.#cancel();
    this.#link = null;
  }

  #lasts(until: number | null): void {
    this.#cancel();
    this.#until = until;
    if (until === null) return;
    // A token that is short-lived itself is refreshed at half of its time.
    const left = until - Date.now();
    this.#in(Math.max(left - this.timing.refreshBefore, left / 2));
  }

  #in(wait: number): void {
    this.#cancel();
    this.#cancel = this.alarms.after(wait, () => void this.#refresh());
  }

  async #refresh(): Promise<void> {
    const link = this.#link;
    if (link === null || !link.isOpen) return;
    try {
      const token = await this.connection.freshToken();
      if (link !== this.#link) return;
      const { expiresAt } = readToken(token);
      // The application's own token cache may not have a fresh one yet.
      if (expiresAt !== null && this.#until !== null && expiresAt <= this.#until) return this.#in(this.#backoff.next() + 1_000);
      const { session_until: until } = await this.requests.call("refreshSession", { token }, link);
      if (link === this.#link) this.#lasts(until);
    } catch {
      // Refused here, the token may still be good for a connection of its own.
      if (link === this.#link) {
        this.#in(this.#backoff.next() + 1_000);
        this.connection.renew();
      }
    }
  }
}
