/** How a log is cut for drawing: into pieces that stay the same when older messages come before them. */
import type { Message } from "@damso/client";
import { daysBetween } from "../words/format.ts";

/** Pieces end at multiples of this number, so that only the ends of a log ever change. */
export const CHUNK = 32;
/** Who writes again within this time is not named again. */
const SAME_BREATH_MS = 5 * 60_000;

export interface Chunk {
  id: number;
  messages: readonly Message[];
  /** The one before the first, which decides whether a day or a speaker begins here. */
  before: Message | null;
}

export function chunksOf(messages: readonly Message[]): Chunk[] {
  const chunks: { id: number; messages: Message[]; before: Message | null }[] = [];
  let before: Message | null = null;
  for (const message of messages) {
    const id = Math.floor(message.seq / CHUNK);
    const last = chunks.at(-1);
    if (last?.id === id) last.messages.push(message);
    else chunks.push({ id, messages: [message], before });
    before = message;
  }
  return chunks;
}

export function isSameChunk(one: Chunk, other: Chunk): boolean {
  return (
    one.id === other.id &&
    one.before?.seq === other.before?.seq &&
    one.messages.length === other.messages.length &&
    one.messages.every((message, index) => message === other.messages[index])
  );
}

/** Whether another day than the one before begins with a message. */
export function beginsDay(message: { sent_at: number }, before: { sent_at: number } | null): boolean {
  return before === null || daysBetween(before.sent_at, message.sent_at) !== 0;
}

/** Whether the speaker has to be named again. */
export function beginsTurn(message: Message, before: Message | null): boolean {
  return (
    before === null ||
    before.kind !== "text" ||
    before.sender.user_id !== message.sender.user_id ||
    before.sender.participant !== message.sender.participant ||
    message.sent_at - before.sent_at > SAME_BREATH_MS ||
    beginsDay(message, before)
  );
}
