import type { Translation } from "@damso/client";
import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { useI18n } from "../i18n/i18n-context.tsx";
import { refusalOf } from "../person/refusal.ts";
import { messageLength } from "./message-length.ts";
import { MessageText } from "./message-text.tsx";
import { useRoom } from "./room-context.tsx";

/** Corrects a translation in place. A conflicting correction is shown before it is overwritten. */
export function Correction(props: { seq: number; translation: Translation; done: () => void }) {
  const { strings, format } = useI18n();
  const { log, names } = useRoom();
  // The version that was on the screen when the correction started.
  const [base, setBase] = useState(props.translation);
  const [text, setText] = useState(props.translation.text ?? "");
  const [state, setState] = useState<"writing" | "saving" | "failed" | "forbidden" | "conflict">("writing");
  const field = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  const { language } = props.translation;
  const invalid = text.trim() === "" || messageLength(text).excess > 0;

  useEffect(() => {
    field.current?.focus();
    field.current?.setSelectionRange(field.current.value.length, field.current.value.length);
  }, []);

  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (invalid || state === "saving") return;
    if (text.trim() === base.text && base.source === "person") return props.done();
    setState("saving");
    try {
      await log.correct(props.seq, language, text.trim(), base.version);
      props.done();
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal?.code === "conflict" && refusal.translation !== undefined) {
        setBase(refusal.translation);
        setState("conflict");
      } else setState(refusal?.code === "forbidden" ? "forbidden" : "failed");
    }
  };

  const machine = base.machine_text ?? (base.source === "deepl" ? base.text : undefined);
  return (
    <form
      className="correction"
      onSubmit={(event) => void save(event)}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || event.nativeEvent.isComposing) return;
        event.preventDefault();
        event.stopPropagation();
        props.done();
      }}
    >
      {state === "conflict" && (
        <div className="conflict" role="alert">
          <p className="small">
            {strings.correction.conflict(base.by === undefined ? null : (names.get(base.by) ?? null))}
          </p>
          <MessageText text={base.text ?? ""} language={language} />
        </div>
      )}
      <label htmlFor={id}>{strings.correction.label(format.language(language) ?? language)}</label>
      <textarea
        id={id}
        ref={field}
        rows={2}
        dir="auto"
        lang={language}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      {machine !== undefined && machine !== text && state !== "conflict" && (
        <p className="hint">
          {strings.correction.machineText}{" "}
          <span dir="auto" lang={language}>
            {machine}
          </span>
        </p>
      )}
      {(state === "failed" || state === "forbidden") && (
        <p className="error" role="status">
          {strings.correction[state]}
        </p>
      )}
      <div className="buttons">
        <button type="button" className="secondary" onClick={props.done}>
          {state === "conflict" ? strings.correction.keepTheirs : strings.cancel}
        </button>
        <button type="submit" className="primary" disabled={invalid || state === "saving"}>
          {state === "saving"
            ? strings.correction.saving
            : state === "conflict"
              ? strings.correction.saveMine
              : strings.correction.save}
        </button>
      </div>
    </form>
  );
}
