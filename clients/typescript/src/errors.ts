import type { Action, Refusal } from "./protocol.js";

/**
 * The server refused a request. The message contains only the action and the code and is safe to log; the server's
 * sentence, which may quote the request, is in `refusal`.
 */
export class DamsoError extends Error {
  override readonly name = "DamsoError";
  constructor(
    readonly action: Action,
    readonly refusal: Refusal,
  ) {
    super(`${action} was refused: ${refusal.code}`);
  }
}

/** How long the server asks the client to wait. Null if the request was not refused for being rate limited. */
export function retryAfterMs(error: unknown): number | null {
  if (!(error instanceof DamsoError) || error.refusal.code !== "rate_limited") return null;
  return error.refusal.retry_after_ms ?? 1_000;
}

/** There was no reply, and the request is not idempotent or was repeated too often. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
  constructor(
    readonly action: Action,
    /** `not_sent`: the request certainly had no effect. */
    readonly outcome: "unknown" | "not_sent",
  ) {
    super(
      outcome === "unknown"
        ? `${action} got no reply; whether it took effect is unknown`
        : `${action} was not sent; connect the client and try again`,
    );
  }
}

/** There was no reply although the connection was not closed, so that the request itself may be the cause. */
export class NoReply extends ConnectionLost {}

/** A message was discarded before it was acknowledged. */
export class MessageDiscarded extends Error {
  override readonly name = "MessageDiscarded";
  constructor(readonly messageId: string) {
    super("the message was discarded");
  }
}
