export type {
  Client,
  ClientEvents,
  ConnectionState,
  Options,
  OutboxStorage,
  OutgoingMessage,
  RoomList,
  RoomLog,
  Timing,
  WebSocketLike,
} from "./api.js";
export { connect, DamsoClient } from "./client.js";
export { ConnectionLost, DamsoError, MessageDiscarded } from "./errors.js";
export { languagesMatch } from "./languages-match.js";
export type * from "./protocol.js";
export { DEFAULT_TIMING } from "./timing.js";
