/** What has been read, by the person at the screen and by the other side. */

interface LogEntry {
  seq: number;
  kind: string;
  sender: { participant: string };
}

/** Counts the messages of others after `lastSeen`. */
export function countUnread(messages: readonly LogEntry[], lastSeen: number, self: string): number {
  let count = 0;
  for (let index = messages.length - 1; index >= 0; index -= 1) {
    const message = messages[index];
    if (message === undefined || message.seq <= lastSeen) break;
    if (message.kind === "text" && message.sender.participant !== self) count += 1;
  }
  return count;
}

/** The entry after which the "New messages" divider stands. Null if nothing from others is unread. */
export function unreadDividerAfter(messages: readonly LogEntry[], lastRead: number, self: string): number | null {
  return countUnread(messages, lastRead, self) > 0 ? lastRead : null;
}

/** How far a participant has read: as far as they reported, and at least up to their own last message. */
export function lastReadBy(
  participant: string | null,
  markers: Readonly<Record<string, number>>,
  messages: readonly LogEntry[],
): number {
  if (participant === null) return 0;
  const written = messages.findLast((message) => message.kind === "text" && message.sender.participant === participant);
  return Math.max(markers[participant] ?? 0, written?.seq ?? 0);
}
