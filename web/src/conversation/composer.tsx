import { type KeyboardEvent, useEffect, useId, useRef, useState, useSyncExternalStore } from "react";
import { Icon } from "../icons/icon.tsx";
import { usePerson } from "../person/person.tsx";
import { useNow } from "../person/use-now.ts";
import { useInterface } from "../words/interface.tsx";
import { sends } from "./enter.ts";
import { lengthOf, MOST_CHARACTERS } from "./length.ts";
import { useRoom } from "./room-context.tsx";

/** Where one writes. What is not sent yet stays here, also when the page is loaded anew. */
export function Composer() {
  const { client, pause, isStaff, storageKey } = usePerson();
  const { words, format } = useInterface();
  const { log, closed, mine } = useRoom();
  const key = `${storageKey("draft")}.${log.roomId}`;
  const [text, setText] = useState(() => sessionStorage.getItem(key) ?? "");
  const pausedUntil = useSyncExternalStore(pause.subscribe, () => pause.until);
  const field = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  const note = useId();
  const waiting = log.outgoing.length > 0;
  const now = useNow(500, waiting && pausedUntil > 0);
  // A short pause passes unnoticed: the client waits and sends by itself.
  const muted = waiting && pausedUntil - now > 0 && pausedUntil - now < 3_600_000;
  const { characters, over, near } = lengthOf(text);
  const ready = text.trim() !== "" && over === 0 && !muted && !closed;

  const write = (written: string) => {
    setText(written);
    if (written === "") sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, written);
  };
  const send = () => {
    if (!ready) return;
    client.send(log.roomId, text.trim());
    write("");
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    const { isComposing, keyCode } = event.nativeEvent;
    // While something is composed, Escape belongs to the composing.
    if (event.key === "Escape" && (isComposing || keyCode === 229)) event.stopPropagation();
    if (!sends({ key: event.key, isComposing, keyCode, shiftKey: event.shiftKey, altKey: event.altKey, ctrlKey: event.ctrlKey, metaKey: event.metaKey })) return;
    event.preventDefault();
    send();
  };
  // As high as its text, for browsers that do not know `field-sizing`.
  useEffect(() => {
    const element = field.current;
    if (element === null || CSS.supports("field-sizing", "content")) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight + 2}px`;
  }, [text]);

  if (closed) {
    return (
      <div className="composer-closed" role="status">
        {isStaff ? words.status.closedForStaff : words.status.closedForPatient}
      </div>
    );
  }
  return (
    <div className="composer">
      {muted && (
        <p className="composer-note">
          <Icon name="clock" />
          <span role="status">{words.outgoing.mutedFor(format.duration(pausedUntil - now))}</span>
        </p>
      )}
      <div className="composer-row">
        <label htmlFor={id} className="unseen">
          {words.composer.label}
        </label>
        <textarea
          id={id}
          ref={field}
          rows={1}
          dir="auto"
          enterKeyHint="send"
          value={text}
          placeholder={words.composer.placeholder(format.language(mine))}
          aria-describedby={note}
          aria-invalid={over > 0}
          onChange={(event) => write(event.target.value)}
          onKeyDown={onKeyDown}
        />
        <button type="button" className="send" disabled={!ready} aria-label={words.composer.send} title={words.composer.send} onClick={send}>
          <Icon name="send" />
        </button>
      </div>
      <p id={note} className="composer-length" data-over={over > 0}>
        {near ? (
          <span className="steady-digits">
            {over > 0
              ? words.composer.tooLong(format.number(over))
              : words.composer.length(format.number(characters), format.number(MOST_CHARACTERS))}
          </span>
        ) : (
          <span className="unseen">{words.composer.keys}</span>
        )}
      </p>
    </div>
  );
}
