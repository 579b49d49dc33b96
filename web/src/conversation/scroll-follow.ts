/** When a log follows its newest message, and when it stays where its reader is. */

/** This close to the end counts as the end, because fingers and zoomed pages are not exact. */
const END_TOLERANCE_PX = 48;

export interface ScrollPosition {
  top: number;
  height: number;
  visible: number;
}

export function isAtEnd({ top, height, visible }: ScrollPosition): boolean {
  return height - top - visible <= END_TOLERANCE_PX;
}

/** Only a reader who scrolls up stops the log from following: content that grows at the end never moves it up. */
export function follows(before: { following: boolean; top: number }, now: ScrollPosition): boolean {
  return isAtEnd(now) || (before.following && now.top >= before.top);
}
