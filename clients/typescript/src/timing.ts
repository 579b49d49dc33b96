import type { Timing } from "./api.js";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

export const DEFAULT_TIMING: Readonly<Timing> = {
  firstBackoff: 500,
  longestBackoff: 30 * SECOND,
  replyWithin: 15 * SECOND,
  gapAfter: 2 * SECOND,
  heartbeatFrom: 5 * MINUTE,
  heartbeatTo: 9 * MINUTE,
  renewFrom: 95 * MINUTE,
  renewTo: 115 * MINUTE,
  refreshBefore: 2 * MINUTE,
};
