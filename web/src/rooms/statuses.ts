import type { RoomStatus } from "@damso/client";

/** In the order in which a consultation usually passes through them. */
export const STATUSES: readonly RoomStatus[] = ["waiting", "in_progress", "on_hold", "closed"];
