import type { Alarms } from "./alarms.js";
import type { ConnectionState, Options, Timing } from "./api.js";
import { Backoff, between } from "./backoff.js";
import { Link, type Frame, type LinkListener } from "./link.js";
import { readToken, type TokenClaims } from "./token.js";

export interface ConnectionListener {
  state(state: ConnectionState): void;
  /** A token was given; whether its session begins is not known yet. */
  token(claims: TokenClaims): void;
  /** Carries everything from now on. Resolves when all is caught up with it. `away`: there was none before, so things were missed. */
  opened(link: Link, claims: TokenClaims, away: boolean): Promise<void>;
  frame(frame: Frame, link: Link): void;
  lost(link: Link): void;
  /** Resolves when nothing waits for an answer on it any more. */
  drained(link: Link): Promise<void>;
}

/** Keeps one connection: dials, dials again, and replaces it before its time is over. */
export class Connection implements LinkListener {
  nextTryAt: number | null = null;
  #state: ConnectionState = "idle";
  #current: Link | null = null;
  /** The one before, until the current one has caught up. */
  #retiring: Link | null = null;
  #dialled: Link | null = null;
  #dialling = false;
  /** What began in an earlier era, before a `close` or a sign-out, has no effect any more. */
  #era = 0;
  #cancelTry = () => {};
  #cancelRenewal = () => {};
  readonly #backoff: Backoff;

  constructor(
    private readonly options: Options,
    private readonly timing: Timing,
    private readonly random: () => number,
    private readonly alarms: Alarms,
    private readonly listener: ConnectionListener,
  ) {
    this.#backoff = new Backoff(timing.firstBackoff, timing.longestBackoff, random);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** What carries requests, if anything does. */
  get current(): Link | null {
    return this.#current?.isOpen ? this.#current : null;
  }

  connect(): void {
    this.#socketClass();
    if (this.#state === "idle" || this.#state === "signed_out") this.#begin();
  }

  connectNow(): void {
    if (this.#state === "offline") this.#begin();
  }

  /** Replaces the connection; until the new one is open and has caught up, the old one goes on. */
  renew(): void {
    if (this.#current !== null && !this.#dialling && this.#retiring === null) void this.#dial();
  }

  /** Asks for a token, with a limit, because everything waits for it. */
  async freshToken(): Promise<string> {
    const token = await this.#within(Promise.resolve().then(() => this.options.token()));
    this.listener.token(readToken(token));
    return token;
  }

  /** A reply came: the backoff begins anew. That a handshake succeeded proves little. */
  proved(): void {
    this.#backoff.reset();
  }

  /** Gives up a link that is dead or not wanted any more by the server. */
  drop(link: Link): void {
    link.end();
    this.ended(link);
  }

  close(): void {
    this.#end("idle");
  }

  signedOut(): void {
    this.#end("signed_out");
  }

  frame(frame: Frame, link: Link): void {
    if (link === this.#current || link === this.#retiring) this.listener.frame(frame, link);
  }

  ended(link: Link): void {
    if (link === this.#retiring) {
      this.#retiring = null;
      this.listener.lost(link);
    } else if (link === this.#current) {
      // While it is being replaced the old one may still be there.
      this.#current = this.#retiring;
      this.#retiring = null;
      this.listener.lost(link);
      if (this.#current === null) {
        this.#cancelRenewal();
        // One that is being dialled already takes over.
        if (this.#dialling) this.#set("connecting");
        else this.#tryLater();
      } else {
        this.#renewIn(this.#backoff.next());
      }
    }
  }

  #begin(): void {
    this.#cancelTry();
    this.nextTryAt = null;
    this.#set("connecting");
    if (!this.#dialling) void this.#dial();
  }

  async #dial(): Promise<void> {
    const era = this.#era;
    this.#dialling = true;
    try {
      const token = await this.freshToken();
      if (era !== this.#era) return;
      const Socket = this.#socketClass();
      const link = new Link(new Socket(this.options.url, ["damso.v1", `bearer.${token}`]), this);
      this.#dialled = link;
      try {
        await this.#within(link.opened);
      } catch (error) {
        link.end();
        throw error;
      }
      if (era !== this.#era) return;
      if (!link.isOpen) throw new Error("the connection was closed at once");
      this.#dialling = false;
      this.#adopt(link, readToken(token));
    } catch {
      if (era !== this.#era) return;
      this.#dialling = false;
      if (this.#current === null) this.#tryLater();
      else this.#renewIn(this.#backoff.next());
    } finally {
      if (era === this.#era) this.#dialled = null;
    }
  }

  #socketClass(): NonNullable<Options["WebSocket"]> {
    const Socket = this.options.WebSocket ?? (globalThis.WebSocket as unknown as Options["WebSocket"]);
    if (Socket === undefined) throw new Error("there is no WebSocket here: pass one in the options");
    return Socket;
  }

  #adopt(link: Link, claims: TokenClaims): void {
    const era = this.#era;
    const previous = this.#current;
    this.#retiring = previous;
    this.#current = link;
    this.#set("online");
    this.#renewIn(between(this.timing.renewFrom, this.timing.renewTo, this.random));
    const caughtUp = this.listener.opened(link, claims, previous === null);
    void caughtUp.catch(() => {}).then(async () => {
      if (previous === null) return;
      await this.listener.drained(previous);
      if (era === this.#era && this.#retiring === previous) this.drop(previous);
    });
  }

  #tryLater(): void {
    const wait = this.#backoff.next();
    this.nextTryAt = Date.now() + wait;
    this.#cancelTry();
    this.#cancelTry = this.alarms.after(wait, () => this.#begin());
    this.#set("offline");
  }

  #renewIn(wait: number): void {
    this.#cancelRenewal();
    this.#cancelRenewal = this.alarms.after(wait, () => this.renew());
  }

  #end(state: ConnectionState): void {
    this.#era += 1;
    this.#dialling = false;
    this.#cancelTry();
    this.#cancelRenewal();
    this.nextTryAt = null;
    const links = [this.#current, this.#retiring, this.#dialled];
    this.#current = this.#retiring = this.#dialled = null;
    for (const link of links) {
      if (link === null) continue;
      link.end();
      this.listener.lost(link);
    }
    this.#set(state);
  }

  #within<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.alarms.after(this.timing.replyWithin, () => reject(new Error("it took too long")));
      promise.then(resolve, reject).finally(cancel);
    });
  }

  #set(state: ConnectionState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.listener.state(state);
  }
}
