/** The wire. Times are milliseconds since the epoch, languages BCP 47 tags. */

export type RoomKind = "consult" | "direct" | "group" | "open";
export type RoomStatus = "waiting" | "in_progress" | "on_hold" | "closed";
export type TranslationMode = "auto" | "on_request" | "off";
export type Role = "patient" | "staff" | "owner" | "admin" | "member";
export type TranslationSource = "deepl" | "person" | "memory";
export type TranslationStatus = "ok" | "same" | "failed";
export type FailureReason = "quota" | "unavailable" | "too_long" | "unsupported_language" | "rejected" | "unfaithful";
export type ErrorCode =
  | "bad_request" | "unknown_action" | "session_expired" | "not_found" | "not_a_member" | "forbidden" | "room_closed"
  | "message_too_long" | "rate_limited" | "message_id_taken" | "conflict" | "translation_unavailable" | "internal";

export interface Sender { participant: string; user_id: string; name?: string }
export interface Translation {
  language: string;
  text?: string;
  source: TranslationSource;
  status: TranslationStatus;
  reason?: FailureReason;
  /** Grows by one with every change: the highest counts. */
  version: number;
  at: number;
  /** Who corrected it. */
  by?: string;
  /** What the machine had said, beside a person's correction. */
  machine_text?: string;
}
export type SystemEvent =
  | { name: "room_created" }
  | { name: "member_joined"; participant: string }
  | { name: "member_left"; participant: string }
  | { name: "status_changed"; from: RoomStatus; to: RoomStatus }
  | { name: "translation_changed"; from: TranslationMode; to: TranslationMode }
  | { name: "translation_limited"; month: string }
  | { name: "translation_corrected"; seq: number; language: string };
export interface Message {
  room_id: string;
  seq: number;
  message_id: string;
  kind: "text" | "system";
  sender: Sender;
  message: string;
  language: string | null;
  sent_at: number;
  translations: Record<string, Translation>;
  reply_to: number | null;
  event?: SystemEvent;
  edited_at?: number;
  deleted_at?: number;
}
export interface Member { participant: string; role: Role; language: string | null; name: string | null }
export interface LastMessage { seq: number; message: string; sender: Sender; sent_at: number }
export interface Room {
  room_id: string;
  kind: RoomKind;
  name: string | null;
  status: RoomStatus;
  translation?: TranslationMode;
  /** In a room list the counterpart only. */
  members: Member[];
  member_count?: number;
  last_seq: number;
  last_message: LastMessage | null;
  last_read_seq: number;
  unread_count: number;
  updated_at: number;
}

/** What is asked, by action. */
export interface Requests {
  createRoom:
    | { kind: "consult"; hospital_id?: string; user_id?: string; language?: string }
    | { kind: "direct"; user_id: string; language?: string }
    | { kind: "group"; name: string; members?: string[]; room_id?: string; language?: string };
  joinGroup: { room_id: string } | { group_id: string } | { groupId: string };
  sendMessage: { message: string; room_id?: string; message_id?: string; language?: string; reply_to?: number };
  getChatHistory: {
    room_id: string; before_seq?: number; after_seq?: number; limit?: number; query?: string; from?: number; to?: number;
  };
  getRoomList: { status?: RoomStatus; limit?: number; cursor?: string };
  changeRoomStatus: { room_id: string; status: RoomStatus };
  markRead: { room_id: string; seq: number };
  sync: { rooms: Record<string, number> };
  translateMessage: { room_id: string; seq: number; language: string };
  setTranslatedMessage: { room_id: string; seq: number; language: string; translated_message: string; version?: number };
  setRoomTranslation: { room_id: string; translation: TranslationMode };
  getUsage: { month?: string };
  getFailedTranslations: { limit?: number; cursor?: string };
  refreshSession: { token: string };
  signOutEverywhere: Record<string, never>;
  createTicket: Record<string, never>;
}
/** What is answered, by action. */
export interface Replies {
  createRoom: { room: Room; created: boolean };
  joinGroup: { room: Room };
  sendMessage: { room_id: string; seq: number; message_id: string; sent_at: number; duplicate: boolean };
  getChatHistory: { room_id: string; messages: Message[]; has_more: boolean; next?: { before_seq: number } | { after_seq: number } };
  getRoomList: { rooms: Room[]; next_cursor?: string };
  changeRoomStatus: { room_id: string; status: RoomStatus; seq: number };
  markRead: { room_id: string; last_read_seq: number; unread_count: number };
  sync: { rooms: { room_id: string; last_seq: number; messages: Message[]; complete: boolean }[] };
  translateMessage: { translation: Translation };
  setTranslatedMessage: { translation: Translation };
  setRoomTranslation: { room_id: string; translation: TranslationMode; seq?: number };
  getUsage: {
    month: string; billed_characters: number; saved_characters: number; translations: number; cache_hits: number; failures: number;
    cost: number; budget_characters?: number;
  };
  getFailedTranslations: {
    failed: { room_id: string; seq: number; language: string; reason?: FailureReason; at: number }[]; next_cursor?: string;
  };
  refreshSession: { session_until: number };
  signOutEverywhere: { closed: number };
  createTicket: { ticket: string; expires_at: number };
}
export type Action = keyof Requests;

/** What a request that is not done is told. */
export interface Refusal {
  code: ErrorCode;
  message: string;
  retry_after_ms?: number;
  reason?: FailureReason;
  translation?: Translation;
}

/** What is pushed. */
export type PushedEvent =
  | ({ type: "message" } & Message)
  | { type: "translation"; room_id: string; seq: number; translation: Translation }
  | { type: "room"; room: Room }
  | { type: "read"; room_id: string; participant: string; last_read_seq: number }
  | { type: "session"; event: "signed_out" };
