import type { TranslationMode } from "@damso/client";
import { useId, useRef, useState } from "react";
import { useI18n } from "../i18n/i18n-context.tsx";
import { usePerson } from "../person/person.tsx";

const MODES: readonly TranslationMode[] = ["auto", "on_request", "off"];

/** How much this side wants to be translated, and what that sends to the translation service. */
export function TranslationModePicker(props: { roomId: string; current: TranslationMode }) {
  const { client } = usePerson();
  const { strings } = useI18n();
  const [state, setState] = useState<"idle" | "saving" | "failed">("idle");
  // The room has the stricter of both sides' wishes. One's own is known only after it was chosen here.
  const [wish, setWish] = useState<TranslationMode | null>(null);
  const group = useId();
  const { current } = props;
  // Arrow keys walk through the options faster than the server answers. The last one chosen is sent last.
  const latest = useRef<TranslationMode>(current);
  const change = async (mode: TranslationMode) => {
    latest.current = mode;
    setWish(mode);
    if (state === "saving") return;
    setState("saving");
    let sent = wish;
    try {
      while (sent !== latest.current) {
        const translation = latest.current;
        await client.request("setRoomTranslation", { room_id: props.roomId, translation });
        sent = translation;
      }
      setState("idle");
    } catch {
      setWish(sent);
      setState("failed");
    }
  };
  return (
    <fieldset aria-busy={state === "saving"}>
      <legend>{strings.mode.label}</legend>
      {MODES.map((mode) => (
        <label key={mode} className="option">
          <input type="radio" name={group} checked={(wish ?? current) === mode} onChange={() => void change(mode)} />
          <span>
            {strings.mode[mode]}
            <span className="hint">{strings.mode.means[mode]}</span>
          </span>
        </label>
      ))}
      <p className="hint">
        {strings.mode.stricter}{" "}
        {state === "idle" && wish !== null && wish !== current && (
          <strong>{strings.mode.now(strings.mode[current])}</strong>
        )}
      </p>
      {state === "failed" && (
        <p className="error" role="status">
          {strings.mode.failed}
        </p>
      )}
    </fieldset>
  );
}
