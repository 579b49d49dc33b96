import { useId, useState } from "react";
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
  const change = async (mode: TranslationMode) => {
    if (state === "asking") return;
    const before = wish;
    setState("asking");
    setWish(mode);
    try {
      await client.request("setRoomTranslation", { room_id: props.roomId, translation: mode });
      setState("quiet");
    } catch {
      setWish(before);
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
