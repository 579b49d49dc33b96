/** Waits for a translation on its way, and asks for one that is not. */
import { useEffect, useState } from "react";
import type { FailureReason, Message, Room, Translation } from "@damso/client";
import { usePerson } from "../person/person.tsx";
import { refusalOf } from "../person/refusal.ts";
import { translationFor, translationState } from "./entry-text.ts";
import { useRoom } from "./room-context.tsx";

export type Problem = FailureReason | "other" | "rate_limited" | "forbidden";

/** So long a translation is waited for, before asking for it is offered. */
const PENDING_MS = 12_000;
/**
 * So long after it was first drawn the log is read for the translation of one's own words: whoever reads its language is
 * told of it, but who wrote the message is not. Reading asks no machine, so nothing is translated that nobody wanted translated.
 */
const OWN_AFTER_MS = [2_000, 6_000];

export function useTranslating(logged: Message, language: string | null, mode: Room["translation"], ours: boolean) {
  const { client } = usePerson();
  const { log, history } = useRoom();
  const [own, setOwn] = useState<Translation>();
  const known = translationFor(logged, language);
  const isNewer = own !== undefined && own.version > (known?.version ?? 0) && own.language === language;
  const message = isNewer ? { ...logged, translations: { ...logged.translations, [own.language]: own } } : logged;
  // A device's clock may differ from the server's by hours, so the waiting is timed from the first drawing. Only of what
  // stood there before does the clock say whether a translation may still be on its way.
  const [waited, setWaited] = useState(() => message.seq <= history && Math.abs(Date.now() - message.sent_at) >= PENDING_MS);
  const [asking, setAsking] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);

  useEffect(() => {
    if (waited) return;
    const timer = setTimeout(() => setWaited(true), PENDING_MS);
    return () => clearTimeout(timer);
  }, [waited]);

  const pending = translationState(message, language, mode, waited) === "pending";
  const { seq, room_id: roomId } = message;
  useEffect(() => {
    if (!pending || !ours || language === null) return;
    const read = async () => {
      if (document.visibilityState !== "visible") return;
      const page = await client.request("getChatHistory", { room_id: roomId, after_seq: seq - 1, limit: 1 });
      const found = page.messages.find((entry) => entry.seq === seq);
      if (found !== undefined) setOwn(translationFor(found, language));
    };
    const timers = OWN_AFTER_MS.map((after) => setTimeout(() => void read().catch(() => undefined), after));
    return () => timers.forEach(clearTimeout);
  }, [pending, ours, language, client, roomId, seq]);

  const ask = async () => {
    if (language === null || asking) return;
    setAsking(true);
    setProblem(null);
    try {
      await log.translate(message.seq, language);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal?.code === "translation_unavailable") setProblem(refusal.reason ?? "unavailable");
      else if (refusal?.code === "rate_limited" || refusal?.code === "forbidden") setProblem(refusal.code);
      else setProblem("other");
    } finally {
      setAsking(false);
    }
  };
  return { message, waited, asking, problem, ask: () => void ask() };
}
