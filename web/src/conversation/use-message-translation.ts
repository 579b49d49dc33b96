/** Waits for the translation of a message, and requests it if it does not arrive. */
import type { FailureReason, Message, Room, Translation } from "@damso/client";
import { useEffect, useState } from "react";
import { usePerson } from "../person/person.tsx";
import { refusalOf } from "../person/refusal.ts";
import { translationFor, translationState } from "./entry-text.ts";
import { useRoom } from "./room-context.tsx";

export type TranslationProblem = FailureReason | "other" | "rate_limited" | "forbidden";

/** How long a translation is expected to arrive before the reader is offered to request it. */
const PENDING_MS = 12_000;
/**
 * When, after its first render, the translation of one's own message is read from the log: it is pushed to those who
 * read its language, but not to the author. Reading never causes a translation, so nothing is translated needlessly.
 */
const READ_OWN_AFTER_MS = [2_000, 6_000];

export function useMessageTranslation(
  logged: Message,
  language: string | null,
  mode: Room["translation"],
  isOwn: boolean,
) {
  const { client } = usePerson();
  const { log, lastSeqAtOpening } = useRoom();
  const [fetched, setFetched] = useState<Translation>();
  const known = translationFor(logged, language);
  const isNewer = fetched !== undefined && fetched.version > (known?.version ?? 0) && fetched.language === language;
  const message = isNewer
    ? { ...logged, translations: { ...logged.translations, [fetched.language]: fetched } }
    : logged;
  // The device's clock may be hours off, so waiting is timed from the first render. Only for messages that were there
  // before does the clock decide whether a translation may still arrive.
  const [waited, setWaited] = useState(
    () => message.seq <= lastSeqAtOpening && Math.abs(Date.now() - message.sent_at) >= PENDING_MS,
  );
  const [requesting, setRequesting] = useState(false);
  const [problem, setProblem] = useState<TranslationProblem | null>(null);

  useEffect(() => {
    if (waited) return;
    const timer = setTimeout(() => setWaited(true), PENDING_MS);
    return () => clearTimeout(timer);
  }, [waited]);

  const pending = translationState(message, language, mode, waited) === "pending";
  const { seq, room_id: roomId } = message;
  useEffect(() => {
    if (!pending || !isOwn || language === null) return;
    const read = async () => {
      if (document.visibilityState !== "visible") return;
      const page = await client.request("getChatHistory", { room_id: roomId, after_seq: seq - 1, limit: 1 });
      const entry = page.messages.find((candidate) => candidate.seq === seq);
      if (entry !== undefined) setFetched(translationFor(entry, language));
    };
    const timers = READ_OWN_AFTER_MS.map((delayMs) => setTimeout(() => void read().catch(() => undefined), delayMs));
    return () => timers.forEach(clearTimeout);
  }, [pending, isOwn, language, client, roomId, seq]);

  const request = async () => {
    if (language === null || requesting) return;
    setRequesting(true);
    setProblem(null);
    try {
      await log.translate(message.seq, language);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal?.code === "translation_unavailable") setProblem(refusal.reason ?? "unavailable");
      else if (refusal?.code === "rate_limited" || refusal?.code === "forbidden") setProblem(refusal.code);
      else setProblem("other");
    } finally {
      setRequesting(false);
    }
  };
  return { message, waited, requesting, problem, request: () => void request() };
}
