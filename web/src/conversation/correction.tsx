import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import type { Translation } from "@damso/client";
import { refusalOf } from "../person/refusal.ts";
import { useInterface } from "../words/interface.tsx";
import { lengthOf } from "./length.ts";
import { useRoom } from "./room-context.tsx";

/** Corrects a translation where it stands. Whoever was faster is shown, and not overwritten unseen. */
export function Correction(props: { seq: number; translation: Translation; done: () => void }) {
  const { words, format } = useInterface();
  const { log, names } = useRoom();
  // What it corrects is what was on the screen when the correcting began.
  const [seen, setSeen] = useState(props.translation);
  const [text, setText] = useState(props.translation.text ?? "");
  const [state, setState] = useState<"writing" | "saving" | "failed" | "forbidden" | "conflict">("writing");
  const field = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  const { language } = props.translation;
  const wrong = text.trim() === "" || lengthOf(text).over > 0;

  useEffect(() => {
    field.current?.focus();
    field.current?.setSelectionRange(field.current.value.length, field.current.value.length);
  }, []);

  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (wrong || state === "saving") return;
    if (text.trim() === seen.text && seen.source === "person") return props.done();
    setState("saving");
    try {
      await log.correct(props.seq, language, text.trim(), seen.version);
      props.done();
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal?.code === "conflict" && refusal.translation !== undefined) {
        setSeen(refusal.translation);
        setState("conflict");
      } else setState(refusal?.code === "forbidden" ? "forbidden" : "failed");
    }
  };

  const machine = seen.machine_text ?? (seen.source === "deepl" ? seen.text : undefined);
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
          <p className="small">{words.correction.conflict(seen.by === undefined ? null : (names.get(seen.by) ?? null))}</p>
          <p className="text" dir="auto" lang={language}>
            {seen.text}
          </p>
        </div>
      )}
      <label htmlFor={id}>{words.correction.label(format.language(language) ?? language)}</label>
      <textarea id={id} ref={field} rows={2} dir="auto" lang={language} value={text} onChange={(event) => setText(event.target.value)} />
      {machine !== undefined && machine !== text && state !== "conflict" && (
        <p className="hint">
          {words.correction.machineSaid}{" "}
          <span dir="auto" lang={language}>
            {machine}
          </span>
        </p>
      )}
      {(state === "failed" || state === "forbidden") && (
        <p className="fault" role="status">
          {words.correction[state]}
        </p>
      )}
      <div className="buttons">
        <button type="button" className="secondary" onClick={props.done}>
          {state === "conflict" ? words.correction.keepTheirs : words.cancel}
        </button>
        <button type="submit" className="primary" disabled={wrong || state === "saving"}>
          {state === "saving" ? words.correction.saving : state === "conflict" ? words.correction.saveMine : words.correction.save}
        </button>
      </div>
    </form>
  );
}
