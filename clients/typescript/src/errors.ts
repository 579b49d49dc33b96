import type { Action, Refusal } from "./protocol.js";

/**
 * A refusal. Its message names the action and the code alone, so that it can be logged: the server's sentence, which may quote what was
 * sent, is in `refusal`.
 */
export class DamsoError extends Error {
  override readonly name = "DamsoError";
  constructor(readonly action: Action, readonly refusal: Refusal) {
    super(`${action} was refused: ${refusal.code}`);
  }
}

/** How long the server wants to be left alone with this; null where it was no matter of haste. */
export function retryAfter(error: unknown): number | null {
  if (!(error instanceof DamsoError) || error.refusal.code !== "rate_limited") return null;
  return error.refusal.retry_after_ms ?? 1_000;
}

/** No answer came, and repeating the request is not free, or was tried often enough. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
  constructor(
    readonly action: Action,
    /** `not_sent`: it certainly was not done. */
    readonly outcome: "unknown" | "not_sent",
  ) {
    super(outcome === "unknown" ? `${action} was not answered; whether it was done is unknown` : `${action} was not sent`);
  }
}

/** A message was taken out of the outbox before it was acknowledged. */
export class Discarded extends Error {
  override readonly name = "Discarded";
  constructor(readonly messageId: string) {
    super("the message was discarded");
  }
}
