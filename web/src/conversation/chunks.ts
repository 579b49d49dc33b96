/** Splits a log into chunks that do not change when older messages are loaded before them. */
import type { Message } from "@damso/client";
import { daysBetween } from "../i18n/format.ts";

/** Chunks end at multiples of this `seq`, so that only those at the ends of the log ever change. */
export const CHUNK_SIZE = 32;
/** Messages by the same sender within this time share one sender line. */
const GROUPING_WINDOW_MS = 5 * 60_000;

export interface Chunk {
  id: number;
  messages: readonly Message[];
  /** The message before the first one, which decides whether a day or a sender group starts here. */
  before: Message | null;
}

export function chunksOf(messages: readonly Message[]): Chunk[] {
  const chunks: { id: number; messages: Message[]; before: Message | null }[] = [];
  let before: Message | null = null;
  for (const message of messages) {
    const id = Math.floor(message.seq / CHUNK_SIZE);
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

/** Whether a message is the first of its day. */
export function startsDay(message: { sent_at: number }, before: { sent_at: number } | null): boolean {
  return before === null || daysBetween(before.sent_at, message.sent_at) !== 0;
}

/** Whether the sender's name is shown above a message. */
export function startsGroup(message: Message, before: Message | null): boolean {
  return (
    before === null ||
    before.kind !== "text" ||
    before.sender.user_id !== message.sender.user_id ||
    before.sender.participant !== message.sender.participant ||
    message.sent_at - before.sent_at > GROUPING_WINDOW_MS ||
    startsDay(message, before)
  );
}
