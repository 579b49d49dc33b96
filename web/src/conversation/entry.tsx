import type { Message } from "@damso/client";
import { memo, useEffect, useRef, useState } from "react";
import { useI18n } from "../i18n/i18n-context.tsx";
import { usePerson } from "../person/person.tsx";
import { Correction } from "./correction.tsx";
import { DeliveryStatus } from "./delivery-status.tsx";
import { displayOrder, translationFor, translationState } from "./entry-text.ts";
import { MessageText } from "./message-text.tsx";
import { Provenance } from "./provenance.tsx";
import { Quote } from "./quote.tsx";
import { useRoom } from "./room-context.tsx";
import { senderName } from "./sender-name.ts";
import { useMessageTranslation } from "./use-message-translation.ts";

/** A message and its translation. */
export const Entry = memo(function Entry(props: { message: Message; startsGroup: boolean; read: boolean }) {
  const { claims, isStaff } = usePerson();
  const { strings, format } = useI18n();
  const { ownLanguage, otherLanguage, mode, reading, kind, names } = useRoom();
  const [correcting, setCorrecting] = useState(false);
  const [revealed, setRevealed] = useState(false);
  const article = useRef<HTMLElement>(null);
  const wasCorrecting = useRef(false);
  // After a correction, the focus returns to the button that opened it.
  useEffect(() => {
    if (wasCorrecting.current && !correcting)
      (article.current?.querySelector<HTMLElement>("[data-correct]") ?? article.current)?.focus();
    wasCorrecting.current = correcting;
  }, [correcting]);
  const isOwnSide = props.message.sender.participant === claims.participant;
  const isMe = isOwnSide && props.message.sender.user_id === claims.userId;
  const language = isOwnSide ? otherLanguage : ownLanguage;
  const translating = useMessageTranslation(props.message, language, mode, isOwnSide);
  const { message } = translating;
  const name = senderName(message.sender, names);
  const translation = translationFor(message, language);
  const state = translationState(message, language, mode, translating.waited);
  const preferences = revealed ? { ...reading, showTranslation: true, showOriginal: true } : reading;
  const order = displayOrder(preferences, state, isOwnSide);
  const hidesOne = state === "shown" && order.length === 1;
  const mayCorrect = language !== null && translation !== undefined && ((isStaff && kind === "consult") || isMe);

  const parts = {
    original: <MessageText key="original" text={message.message} language={message.language ?? undefined} />,
    translation:
      correcting && translation !== undefined ? (
        <Correction key="translation" seq={message.seq} translation={translation} done={() => setCorrecting(false)} />
      ) : state === "pending" ? (
        <p key="translation" className="entry-text pending" lang={undefined}>
          <span className="visually-hidden">{strings.translation.pending}</span>
        </p>
      ) : (
        <MessageText key="translation" text={translation?.text ?? ""} language={translation?.language} isTranslation />
      ),
  };

  if (message.deleted_at !== undefined) {
    return (
      <article
        className="entry"
        data-seq={message.seq}
        data-side={isOwnSide ? "own" : "other"}
        data-group-start={props.startsGroup}
        tabIndex={-1}
      >
        <div className="bubble">
          <p className="entry-text muted">{strings.log.deleted}</p>
        </div>
      </article>
    );
  }
  return (
    <article
      ref={article}
      className="entry"
      data-seq={message.seq}
      data-side={isOwnSide ? "own" : "other"}
      data-group-start={props.startsGroup}
      tabIndex={-1}
      aria-label={`${isMe ? strings.you : name}, ${format.time(message.sent_at)}`}
    >
      {props.startsGroup && !isMe && (
        <p className="sender">
          <bdi>{name}</bdi>
        </p>
      )}
      <div className="entry-row">
        <div className="bubble" data-order={order[0]}>
          {message.reply_to !== null && <Quote seq={message.reply_to} />}
          {order.map((part) => parts[part])}
          {correcting && !order.includes("translation") && parts.translation}
          {!correcting && (
            <Provenance
              state={state}
              translation={translation}
              language={isOwnSide ? language : null}
              requesting={translating.requesting}
              problem={translating.problem}
              request={translating.request}
              correct={mayCorrect ? () => setCorrecting(true) : null}
              reveal={hidesOne ? () => setRevealed(true) : null}
              hidden={order[0] === "original" ? "translation" : "original"}
            />
          )}
        </div>
        <p className="entry-meta">
          {message.edited_at !== undefined && <span>{strings.log.edited}</span>}
          <time dateTime={new Date(message.sent_at).toISOString()} title={format.exact(message.sent_at)}>
            {format.time(message.sent_at)}
          </time>
          {isOwnSide && <DeliveryStatus state={props.read ? "read" : "sent"} />}
        </p>
      </div>
    </article>
  );
});
