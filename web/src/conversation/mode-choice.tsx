import { useId, useRef, useState } from "react";
import type { TranslationMode } from "@damso/client";
import { usePerson } from "../person/person.tsx";
import { useInterface } from "../words/interface.tsx";

const MODES: readonly TranslationMode[] = ["auto", "on_request", "off"];

/** How far this side wants to be translated, and what that means for what leaves the hospital. */
export function ModeChoice(props: { roomId: string; current: TranslationMode }) {
  const { client } = usePerson();
  const { words } = useInterface();
  const [state, setState] = useState<"quiet" | "asking" | "failed">("quiet");
  // What the room says is the stricter of both sides' wishes; one's own is known once it was said here.
  const [wish, setWish] = useState<TranslationMode | null>(null);
  const group = useId();
  const { current } = props;
  // Arrow keys walk through the choices faster than the server answers: what was wished last is told last.
  const latest = useRef<TranslationMode>(current);
  const change = async (mode: TranslationMode) => {
    latest.current = mode;
    setWish(mode);
    if (state === "asking") return;
    setState("asking");
    let told = wish;
    try {
      while (told !== latest.current) {
        const translation = latest.current;
        await client.request("setRoomTranslation", { room_id: props.roomId, translation });
        told = translation;
      }
      setState("quiet");
    } catch {
      setWish(told);
      setState("failed");
    }
  };
  return (
    <fieldset aria-busy={state === "asking"}>
      <legend>{words.mode.label}</legend>
      {MODES.map((mode) => (
        <label key={mode} className="radio">
          <input type="radio" name={group} checked={(wish ?? current) === mode} onChange={() => void change(mode)} />
          <span>
            {words.mode[mode]}
            <span className="hint">{words.mode.means[mode]}</span>
          </span>
        </label>
      ))}
      <p className="hint">
        {words.mode.stricter} {state === "quiet" && wish !== null && wish !== current && <strong>{words.mode.now(words.mode[current])}</strong>}
      </p>
      {state === "failed" && (
        <p className="fault" role="status">
          {words.mode.failed}
        </p>
      )}
    </fieldset>
  );
}
