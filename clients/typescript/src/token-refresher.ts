import type { Timing } from "./api.js";
import { Backoff } from "./backoff.js";
import type { Connection } from "./connection.js";
import type { Requests } from "./requests.js";
import type { Socket } from "./socket.js";
import type { Timers } from "./timers.js";
import { readTokenClaims, type TokenClaims } from "./token-claims.js";

/** Refreshes a connection's session with a new token before the current one expires. */
export class TokenRefresher {
  #socket: Socket | null = null;
  #sessionUntil: number | null = null;
  #cancel = () => {};
  readonly #backoff: Backoff;

  constructor(
    private readonly connection: Connection,
    private readonly requests: Requests,
    private readonly timing: Timing,
    random: () => number,
    private readonly timers: Timers,
  ) {
    this.#backoff = new Backoff(timing.initialRetryDelayMs, timing.maxRetryDelayMs, random);
  }

  start(socket: Socket, claims: TokenClaims): void {
    this.#socket = socket;
    this.#backoff.reset();
    this.#sessionLastsUntil(claims.expiresAt);
  }

  stop(): void {
    this.#cancel();
    this.#socket = null;
  }

  #sessionLastsUntil(until: number | null): void {
    this.#cancel();
    this.#sessionUntil = until;
    if (until === null) return;
    // A short-lived token is refreshed halfway to its expiry.
    const remainingMs = until - Date.now();
    this.#scheduleRefresh(Math.max(remainingMs - this.timing.refreshBeforeExpiryMs, remainingMs / 2));
  }

  #scheduleRefresh(delayMs: number): void {
    this.#cancel();
    this.#cancel = this.timers.after(delayMs, () => void this.#refresh());
  }

  #scheduleRetry(): void {
    this.#scheduleRefresh(this.#backoff.nextMs() + 1_000);
  }

  async #refresh(): Promise<void> {
    const socket = this.#socket;
    if (socket === null || !socket.isOpen) return;
    try {
      const token = await this.connection.freshToken();
      if (socket !== this.#socket) return;
      const { expiresAt } = readTokenClaims(token);
      if (expiresAt !== null && this.#sessionUntil !== null && expiresAt <= this.#sessionUntil) {
        // The application's own token cache may not have a newer one yet.
        this.#scheduleRetry();
        return;
      }
      const { session_until: until } = await this.requests.call("refreshSession", { token }, { boundTo: socket });
      if (socket === this.#socket) this.#sessionLastsUntil(until);
    } catch {
      if (socket !== this.#socket) return;
      // A token that was refused here may still be accepted for a new connection.
      this.#scheduleRetry();
      this.connection.renew();
    }
  }
}
