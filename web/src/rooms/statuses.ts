import type { RoomStatus } from "@damso/client";

/** In the order in which a consultation usually goes through them. */
export const STATUSES: readonly RoomStatus[] = ["waiting", "in_progress", "on_hold", "closed"];
