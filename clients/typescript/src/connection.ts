import type { ConnectionState, Options, Timing } from "./api.js";
import { Backoff, randomBetween } from "./backoff.js";
import { type Frame, Socket, type SocketListener } from "./socket.js";
import type { Timers } from "./timers.js";
import { readTokenClaims, type TokenClaims } from "./token-claims.js";

export interface ConnectionListener {
  state(state: ConnectionState): void;
  /** A token was obtained. Whether the server accepts it is not known yet. */
  token(claims: TokenClaims): void;
  /**
   * The socket carries all requests from now on. Resolves once everything is up to date on it. `wasOffline`: it did not
   * replace an open socket, so updates may have been missed.
   */
  opened(socket: Socket, claims: TokenClaims, wasOffline: boolean): Promise<void>;
  frame(frame: Frame, socket: Socket): void;
  lost(socket: Socket): void;
  /** Resolves once no request waits for a reply on this socket. */
  drained(socket: Socket): Promise<void>;
}

/** Keeps one connection open: connects, reconnects, and replaces it before API Gateway closes it. */
export class Connection implements SocketListener {
  nextRetryAt: number | null = null;
  #state: ConnectionState = "idle";
  #current: Socket | null = null;
  /** The previous socket, until the current one has caught up. */
  #retiring: Socket | null = null;
  /** The socket whose handshake is in progress. */
  #opening: Socket | null = null;
  #connecting = false;
  /** Incremented by `close` and sign-out. Async work that started in an earlier generation has no effect. */
  #generation = 0;
  #cancelRetry = () => {};
  #cancelRenewal = () => {};
  readonly #backoff: Backoff;

  constructor(
    private readonly options: Options,
    private readonly timing: Timing,
    private readonly random: () => number,
    private readonly timers: Timers,
    private readonly listener: ConnectionListener,
  ) {
    this.#backoff = new Backoff(timing.initialRetryDelayMs, timing.maxRetryDelayMs, random);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** The socket that carries requests, if one is open. */
  get current(): Socket | null {
    return this.#current?.isOpen ? this.#current : null;
  }

  connect(): void {
    this.#webSocketClass();
    if (this.#state === "idle" || this.#state === "signed_out" || this.#state === "evicted") this.#start();
  }

  connectNow(): void {
    if (this.#state === "offline") this.#start();
  }

  /** Replaces the connection. The old one stays in use until the new one is open and has caught up. */
  renew(): void {
    if (this.#current !== null && !this.#connecting && this.#retiring === null) void this.#openSocket();
  }

  /** Obtains a token within the reply timeout, because everything waits for it. */
  async freshToken(): Promise<string> {
    const token = await this.#withTimeout(Promise.resolve().then(() => this.options.token()));
    this.listener.token(readTokenClaims(token));
    return token;
  }

  /** Call after a reply: only that proves that the server is well. A successful handshake does not. */
  resetBackoff(): void {
    this.#backoff.reset();
  }

  /** Gives up a socket that is dead or that the server no longer accepts. */
  drop(socket: Socket): void {
    socket.close();
    this.closed(socket);
  }

  close(): void {
    this.#end("idle");
  }

  signedOut(): void {
    this.#end("signed_out");
  }

  evicted(): void {
    this.#end("evicted");
  }

  /** Whether a newer socket of this client takes over, or is about to. */
  isReplaced(socket: Socket): boolean {
    return socket !== this.#current || this.#connecting;
  }

  frame(frame: Frame, socket: Socket): void {
    if (socket === this.#current || socket === this.#retiring) this.listener.frame(frame, socket);
  }

  closed(socket: Socket): void {
    if (socket === this.#retiring) {
      this.#retiring = null;
      this.listener.lost(socket);
    } else if (socket === this.#current) {
      // During a replacement the old socket may still be open.
      this.#current = this.#retiring;
      this.#retiring = null;
      this.listener.lost(socket);
      if (this.#current !== null) {
        this.#scheduleRenewal(this.#backoff.nextMs());
        return;
      }
      this.#cancelRenewal();
      // A handshake that is already in progress takes over.
      if (this.#connecting) this.#setState("connecting");
      else this.#scheduleRetry();
    }
  }

  #start(): void {
    this.#cancelRetry();
    this.nextRetryAt = null;
    this.#setState("connecting");
    if (!this.#connecting) void this.#openSocket();
  }

  async #openSocket(): Promise<void> {
    const generation = this.#generation;
    this.#connecting = true;
    try {
      const token = await this.freshToken();
      if (generation !== this.#generation) return;
      const WebSocketClass = this.#webSocketClass();
      const socket = new Socket(new WebSocketClass(this.options.url, ["damso.v1", `bearer.${token}`]), this);
      this.#opening = socket;
      try {
        await this.#withTimeout(socket.opened);
      } catch (error) {
        socket.close();
        throw error;
      }
      if (generation !== this.#generation) return;
      if (!socket.isOpen) throw new Error("the connection was closed right after the handshake");
      this.#connecting = false;
      this.#adopt(socket, readTokenClaims(token));
    } catch {
      if (generation !== this.#generation) return;
      this.#connecting = false;
      if (this.#current === null) this.#scheduleRetry();
      else this.#scheduleRenewal(this.#backoff.nextMs());
    } finally {
      if (generation === this.#generation) this.#opening = null;
    }
  }

  #webSocketClass(): NonNullable<Options["WebSocket"]> {
    const WebSocketClass = this.options.WebSocket ?? (globalThis.WebSocket as unknown as Options["WebSocket"]);
    if (WebSocketClass === undefined) {
      throw new Error("no global WebSocket; pass one in the options, for example that of the package ws");
    }
    return WebSocketClass;
  }

  #adopt(socket: Socket, claims: TokenClaims): void {
    const generation = this.#generation;
    const previous = this.#current;
    this.#retiring = previous;
    this.#current = socket;
    this.#setState("online");
    this.#scheduleRenewal(randomBetween(this.timing.minConnectionAgeMs, this.timing.maxConnectionAgeMs, this.random));
    const caughtUp = this.listener.opened(socket, claims, previous === null);
    const retirePrevious = async () => {
      if (previous === null) return;
      await this.listener.drained(previous);
      if (generation === this.#generation && this.#retiring === previous) this.drop(previous);
    };
    void caughtUp.catch(() => {}).then(retirePrevious);
  }

  #scheduleRetry(): void {
    const delayMs = this.#backoff.nextMs();
    this.nextRetryAt = Date.now() + delayMs;
    this.#cancelRetry();
    this.#cancelRetry = this.timers.after(delayMs, () => this.#start());
    this.#setState("offline");
  }

  #scheduleRenewal(delayMs: number): void {
    this.#cancelRenewal();
    this.#cancelRenewal = this.timers.after(delayMs, () => this.renew());
  }

  #end(state: ConnectionState): void {
    this.#generation += 1;
    this.#connecting = false;
    this.#cancelRetry();
    this.#cancelRenewal();
    this.nextRetryAt = null;
    const sockets = [this.#current, this.#retiring, this.#opening];
    this.#current = null;
    this.#retiring = null;
    this.#opening = null;
    for (const socket of sockets) {
      if (socket === null) continue;
      socket.close();
      this.listener.lost(socket);
    }
    this.#setState(state);
  }

  #withTimeout<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.timers.after(this.timing.replyTimeoutMs, () => reject(new Error("timed out")));
      promise.then(resolve, reject).finally(cancel);
    });
  }

  #setState(state: ConnectionState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.listener.state(state);
  }
}
