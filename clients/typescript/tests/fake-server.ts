import { DamsoClient, type Options, type WebSocketLike } from "../src/index.js";

// biome-ignore lint/suspicious/noExplicitAny: tests read the fields of frames without narrowing each one.
type Frame = Record<string, any>;

/** A socket whose peer is the test. */
export class FakeSocket implements WebSocketLike {
  readonly protocol = "damso.v1";
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason?: string }) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;
  closed = false;
  readonly sent: Frame[] = [];
  #answered = 0;

  constructor(
    readonly url: string,
    readonly protocols: string[],
    private readonly server: FakeServer,
  ) {}

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Frame);
    // Real sockets never reply synchronously.
    queueMicrotask(() => this.#answer());
  }

  close(): void {
    this.closed = true;
  }

  /** Closes the connection from the server's side. */
  cut(code = 1006): void {
    this.closed = true;
    this.onclose?.({ code });
  }

  push(frame: Frame): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  reply(request: Frame, body: Frame): void {
    this.push({ type: "reply", action: request.action, request_id: request.request_id, ...body });
  }

  refuse(request: Frame, refusal: Frame): void {
    this.push({ type: "error", action: request.action, request_id: request.request_id, message: "", ...refusal });
  }

  /** The received requests of an action, in order. */
  received(action: string): Frame[] {
    return this.sent.filter((frame) => frame.action === action);
  }

  /** Replies to new requests as `server.answers` says. A request without an answer stays open. */
  #answer(): void {
    if (this.closed) return;
    const open = this.sent.slice(this.#answered);
    this.#answered = this.sent.length;
    for (const request of open) {
      const body = this.server.answers[request.action as string]?.(request);
      if (body !== undefined) this.reply(request, body);
    }
  }
}

/** A server that replies from a table of answers and records all sockets that a client opens. */
export class FakeServer {
  readonly sockets: FakeSocket[] = [];
  answers: Record<string, (request: Frame) => Frame | undefined> = {
    sync: () => ({ rooms: [] }),
    joinGroup: ({ group_id: roomId }) => ({ room: roomView(roomId as string) }),
  };

  /** The socket that was opened last. */
  get last(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("no socket was opened");
    return socket;
  }

  client(options: Partial<Options> = {}): DamsoClient {
    const server = this;
    const Socket = class extends FakeSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, server);
        server.sockets.push(this);
      }
    };
    return new DamsoClient({
      url: "wss://damso.test/dev",
      token: () => token({ sub: "aiko" }),
      WebSocket: Socket,
      random: () => 0.5,
      ...options,
    });
  }

  /** Runs all pending microtasks. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 100; turn += 1) await Promise.resolve();
  }

  async accept(): Promise<FakeSocket> {
    await this.settle();
    this.last.onopen?.();
    await this.settle();
    return this.last;
  }
}

export function token(claims: Record<string, unknown>): string {
  return `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;
}

export function roomView(roomId: string, lastSeq = 0) {
  return {
    room_id: roomId,
    kind: "consult",
    name: null,
    status: "waiting",
    members: [],
    last_seq: lastSeq,
    last_message: null,
    last_read_seq: 0,
    unread_count: 0,
    updated_at: lastSeq,
  };
}

export function entry(roomId: string, seq: number, more: Frame = {}) {
  return {
    room_id: roomId,
    seq,
    message_id: `id-${seq}`,
    kind: "text",
    sender: { participant: "hospital:h", user_id: "m" },
    message: `text ${seq}`,
    language: "ko",
    sent_at: seq,
    translations: {},
    reply_to: null,
    ...more,
  };
}
