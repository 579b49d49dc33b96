import { memo, useEffect, useRef, useState } from "react";
import type { Message } from "@damso/client";
import { idOf, usePerson } from "../person/person.tsx";
import { useInterface } from "../words/interface.tsx";
import { Correction } from "./correction.tsx";
import { orderOf, translationFor, translationState } from "./entry-text.ts";
import { Mark } from "./mark.tsx";
import { Provenance } from "./provenance.tsx";
import { Quote } from "./quote.tsx";
import { useRoom } from "./room-context.tsx";
import { useTranslating } from "./use-translating.ts";

/** What somebody said, and how it reads in the reader's language. */
export const Entry = memo(function Entry(props: { message: Message; turn: boolean; read: boolean }) {
  const { claims, isStaff } = usePerson();
  const { words, format } = useInterface();
  const { mine, theirs, mode, reading, kind } = useRoom();
  const [correcting, setCorrecting] = useState(false);
  const [revealed, setRevealed] = useState(false);
  const place = useRef<HTMLElement>(null);
  const wasCorrecting = useRef(false);
  // Whoever has corrected goes on from where they began.
  useEffect(() => {
    if (wasCorrecting.current && !correcting) (place.current?.querySelector<HTMLElement>("[data-correct]") ?? place.current)?.focus();
    wasCorrecting.current = correcting;
  }, [correcting]);
  const ours = props.message.sender.participant === claims.participant;
  const isMe = ours && props.message.sender.user_id === claims.userId;
  const language = ours ? theirs : mine;
  const { message, waited, asking, problem, ask } = useTranslating(props.message, language, mode, ours);
  const name = message.sender.name ?? idOf(message.sender.participant);
  const translation = translationFor(message, language);
  const state = translationState(message, language, mode, waited);
  const shown = revealed ? { ...reading, showTranslation: true, showOriginal: true } : reading;
  const order = orderOf(shown, state, ours);
  const hides = state === "shown" && order.length === 1;
  const mayCorrect = language !== null && translation !== undefined && ((isStaff && kind === "consult") || isMe);

  const parts = {
    original: (
      <p key="original" className="text" dir="auto" lang={message.language ?? undefined}>
        {message.message}
      </p>
    ),
    translation:
      correcting && translation !== undefined ? (
        <Correction key="translation" seq={message.seq} translation={translation} done={() => setCorrecting(false)} />
      ) : state === "pending" ? (
        <p key="translation" className="text pending" lang={undefined}>
          <span className="unseen">{words.translation.pending}</span>
        </p>
      ) : (
        <p key="translation" className="text" dir="auto" lang={translation?.language} data-translated>
          {translation?.text}
        </p>
      ),
  };

  if (message.deleted_at !== undefined) {
    return (
      <article className="entry" data-seq={message.seq} data-side={ours ? "own" : "other"} data-turn={props.turn} tabIndex={-1}>
        <div className="bubble">
          <p className="text quiet">{words.log.deleted}</p>
        </div>
      </article>
    );
  }
  return (
    <article
      ref={place}
      className="entry"
      data-seq={message.seq}
      data-side={ours ? "own" : "other"}
      data-turn={props.turn}
      tabIndex={-1}
      aria-label={`${isMe ? words.you : name}, ${format.time(message.sent_at)}`}
    >
      {props.turn && !isMe && (
        <p className="speaker">
          <bdi>{name}</bdi>
        </p>
      )}
      <div className="line">
        <div className="bubble" data-order={order[0]}>
          {message.reply_to !== null && <Quote seq={message.reply_to} />}
          {order.map((part) => parts[part])}
          {correcting && !order.includes("translation") && parts.translation}
          {!correcting && (
            <Provenance
              state={state}
              translation={translation}
              language={ours ? language : null}
              asking={asking}
              problem={problem}
              ask={ask}
              correct={mayCorrect ? () => setCorrecting(true) : null}
              reveal={hides ? () => setRevealed(true) : null}
              hidden={order[0] === "original" ? "translation" : "original"}
            />
          )}
        </div>
        <p className="meta">
          {message.edited_at !== undefined && <span>{words.log.edited}</span>}
          <time dateTime={new Date(message.sent_at).toISOString()} title={format.exact(message.sent_at)}>
            {format.time(message.sent_at)}
          </time>
          {ours && <Mark state={props.read ? "read" : "sent"} />}
        </p>
      </div>
    </article>
  );
});
