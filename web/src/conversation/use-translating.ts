/** Waits for a translation on its way, and asks for one that is not. */
import { useEffect, useState } from "react";
import type { FailureReason, Message, Room } from "@damso/client";
import { refusalOf } from "../person/refusal.ts";
import { PENDING_MS, translationState } from "./entry-text.ts";
import { useRoom } from "./room-context.tsx";

export type Problem = FailureReason | "other" | "rate_limited" | "forbidden";

/**
 * After so long the translation of one's own words is asked for: whoever reads its language is told of it, but who wrote
 * the message is not. What is there already is told again for nothing.
 */
const OWN_AFTER_MS = 2_000;

export function useTranslating(message: Message, language: string | null, mode: Room["translation"], ours: boolean) {
  const { log } = useRoom();
  const [now, setNow] = useState(() => Date.now());
  const [asking, setAsking] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);

  const pending = translationState(message, language, mode, now) === "pending";
  useEffect(() => {
    if (!pending) return;
    const timer = setTimeout(() => setNow(Date.now()), Math.max(0, message.sent_at + PENDING_MS - Date.now()) + 50);
    return () => clearTimeout(timer);
  }, [pending, message.sent_at]);

  useEffect(() => {
    if (!pending || !ours || language === null) return;
    const timer = setTimeout(() => {
      // Where it is not there yet, the button to ask for it comes in a while.
      if (document.visibilityState === "visible") log.translate(message.seq, language).catch(() => undefined);
    }, Math.max(0, message.sent_at + OWN_AFTER_MS - Date.now()));
    return () => clearTimeout(timer);
  }, [pending, ours, language, log, message.seq, message.sent_at]);

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
  return { now, asking, problem, ask: () => void ask() };
}
