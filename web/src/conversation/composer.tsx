import { type KeyboardEvent, useEffect, useId, useRef, useState, useSyncExternalStore } from "react";
import { useI18n } from "../i18n/i18n-context.tsx";
import { Icon } from "../icons/icon.tsx";
import { usePerson } from "../person/person.tsx";
import { useNow } from "../person/use-now.ts";
import { tabStorage } from "../storage/storage.ts";
import { isSendKey } from "./enter-key.ts";
import { MAX_CHARACTERS, messageLength } from "./message-length.ts";
import { useRoom } from "./room-context.tsx";

/** The field for a new message. A draft survives a reload of the page. */
export function Composer() {
  const { client, rateLimit, isStaff, storageKey } = usePerson();
  const { strings, format } = useI18n();
  const { log, closed, ownLanguage } = useRoom();
  const key = `${storageKey("draft")}.${log.roomId}`;
  const [text, setText] = useState(() => tabStorage.getItem(key) ?? "");
  const limitedUntil = useSyncExternalStore(rateLimit.subscribe, () => rateLimit.until);
  const field = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  const noteId = useId();
  const waiting = log.outgoing.length > 0;
  const now = useNow(500, waiting && limitedUntil > 0);
  // The client waits and retries automatically; the limit is shown only while a message waits for it.
  const limited = waiting && limitedUntil - now > 0 && limitedUntil - now < 3_600_000;
  const { characters, excess, isNearLimit } = messageLength(text);
  const ready = text.trim() !== "" && excess === 0 && !limited && !closed;

  const edit = (draft: string) => {
    setText(draft);
    if (draft === "") tabStorage.removeItem(key);
    else tabStorage.setItem(key, draft);
  };
  const send = () => {
    if (!ready) return;
    client.send(log.roomId, text.trim());
    edit("");
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    const { isComposing, keyCode } = event.nativeEvent;
    // While text is being composed, Escape cancels the composition.
    if (event.key === "Escape" && (isComposing || keyCode === 229)) event.stopPropagation();
    const { key: pressed, shiftKey, altKey } = event;
    if (!isSendKey({ key: pressed, isComposing, keyCode, shiftKey, altKey })) return;
    event.preventDefault();
    send();
  };
  // Grow with the text in browsers without `field-sizing`.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height depends on the text.
  useEffect(() => {
    const element = field.current;
    if (element === null || CSS.supports("field-sizing", "content")) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight + 2}px`;
  }, [text]);

  if (closed) {
    return (
      <div className="composer-closed" role="status">
        {isStaff ? strings.status.closedForStaff : strings.status.closedForPatient}
      </div>
    );
  }
  return (
    <div className="composer">
      {limited && (
        <p className="composer-note">
          <Icon name="clock" />
          <span role="status">{strings.outgoing.rateLimitedFor(format.duration(limitedUntil - now))}</span>
        </p>
      )}
      <div className="composer-row">
        <label htmlFor={id} className="visually-hidden">
          {strings.composer.label}
        </label>
        <textarea
          id={id}
          ref={field}
          rows={1}
          dir="auto"
          enterKeyHint="send"
          value={text}
          placeholder={strings.composer.placeholder(format.language(ownLanguage))}
          aria-describedby={noteId}
          aria-invalid={excess > 0}
          onChange={(event) => edit(event.target.value)}
          onKeyDown={onKeyDown}
        />
        <button
          type="button"
          className="send-button"
          disabled={!ready}
          aria-label={strings.composer.send}
          title={strings.composer.send}
          onClick={send}
        >
          <Icon name="send" />
        </button>
      </div>
      <p id={noteId} className="composer-length" data-over={excess > 0}>
        {isNearLimit ? (
          <span className="tabular-numbers">
            {excess > 0
              ? strings.composer.tooLong(format.number(excess))
              : strings.composer.length(format.number(characters), format.number(MAX_CHARACTERS))}
          </span>
        ) : (
          <span className="visually-hidden">{strings.composer.keys}</span>
        )}
      </p>
    </div>
  );
}
