import type { Message } from "@damso/client";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { en } from "../i18n/en.ts";
import { I18nProvider } from "../i18n/i18n-context.tsx";
import { ChunkView } from "./chunk-view.tsx";
import { RoomContext, type RoomView } from "./room-context.tsx";

beforeEach(() => void vi.stubGlobal("navigator", { languages: ["en"] }));
afterEach(() => void vi.unstubAllGlobals());

const ENTRY = {
  room_id: "consult:aiko:clinic",
  seq: 1,
  message_id: "m1",
  sender: { participant: "hospital:clinic", user_id: "minjun" },
  message: "",
  language: null,
  sent_at: 0,
  translations: {},
  reply_to: null,
};

function shown(entry: object): string {
  const messages = [{ ...ENTRY, ...entry } as unknown as Message];
  const view = { names: new Map([["hospital:clinic", "Seoul Clinic"]]) } as unknown as RoomView;
  const chunk = { id: 0, messages, before: null };
  const rendered = createElement(ChunkView, { chunk, readUpTo: 0, dividerAfter: null, today: "" });
  const inRoom = createElement(RoomContext, { value: view }, rendered);
  return renderToStaticMarkup(createElement(I18nProvider, null, inRoom)).replace(/[\u2068\u2069]/g, "");
}

test.each([
  ["event", { kind: "system", event: { name: "member_promoted", participant: "user:aiko" } }],
  ["missing event", { kind: "system" }],
  ["kind", { kind: "poll", options: ["a", "b"] }],
  ["entry that the server cannot read", { kind: "unknown" }],
])("an unknown %s has a placeholder", (_, entry) => expect(shown(entry)).toContain(en.event.other));

test("an unknown status is shown as it is", () => {
  const event = { name: "status_changed", from: "waiting", to: "archived" };
  expect(shown({ kind: "system", event })).toContain("Seoul Clinic set the status: Waiting → archived");
});
