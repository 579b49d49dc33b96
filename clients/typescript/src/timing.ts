import type { Timing } from "./api.js";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

export const DEFAULT_TIMING: Readonly<Timing> = {
  initialRetryDelayMs: 500,
  maxRetryDelayMs: 30 * SECOND,
  replyTimeoutMs: 15 * SECOND,
  gapRepairDelayMs: 2 * SECOND,
  minHeartbeatIntervalMs: 5 * MINUTE,
  maxHeartbeatIntervalMs: 9 * MINUTE,
  probeIntervalMs: 30 * SECOND,
  probeAfterRequestMs: 4 * SECOND,
  probeTimeoutMs: 10 * SECOND,
  minConnectionAgeMs: 95 * MINUTE,
  maxConnectionAgeMs: 115 * MINUTE,
  refreshBeforeExpiryMs: 2 * MINUTE,
};
