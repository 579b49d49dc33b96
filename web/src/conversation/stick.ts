/** When a log follows its newest message, and when it stays where its reader is. */

/** So near the end counts as the end: fingers and zoomed pages are not exact. */
const NEAR = 48;

export interface Scrolled {
  top: number;
  height: number;
  visible: number;
}

export function isAtEnd({ top, height, visible }: Scrolled): boolean {
  return height - top - visible <= NEAR;
}

/**
 * A log that follows stops doing so only when its reader moves up: what grows at the end moves it away from there as
 * well, but not upwards.
 */
export function follows(before: { following: boolean; top: number }, now: Scrolled): boolean {
  return isAtEnd(now) || (before.following && now.top >= before.top);
}

/** How many messages of others somebody has not had on the screen yet. */
export function countUnseen(
  messages: readonly { seq: number; kind: string; sender: { participant: string } }[],
  seen: number,
  self: string,
): number {
  let count = 0;
  for (let index = messages.length - 1; index >= 0; index -= 1) {
    const message = messages[index];
    if (message === undefined || message.seq <= seen) break;
    if (message.kind === "text" && message.sender.participant !== self) count += 1;
  }
  return count;
}

/** After which entry the marker "new messages" stands: none where nothing of others is unread. */
export function markerAfter(
  messages: readonly { seq: number; kind: string; sender: { participant: string } }[],
  lastRead: number,
  self: string,
): number | null {
  return countUnseen(messages, lastRead, self) > 0 ? lastRead : null;
}

/** How far the other side has read: as it said, and at least up to what it wrote itself. */
export function readBy(
  participant: string | null,
  marks: Readonly<Record<string, number>>,
  messages: readonly { seq: number; kind: string; sender: { participant: string } }[],
): number {
  if (participant === null) return 0;
  const written = messages.findLast((message) => message.kind === "text" && message.sender.participant === participant);
  return Math.max(marks[participant] ?? 0, written?.seq ?? 0);
}
