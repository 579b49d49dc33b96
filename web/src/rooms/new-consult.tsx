import { type FormEvent, useId, useState } from "react";
import { usePerson } from "../person/person.tsx";
import { refusalOf } from "../person/refusal.ts";
import { useInterface } from "../words/interface.tsx";

/** Opens a consultation: a patient names the hospital, a hospital the patient. One that exists is simply opened. */
export function NewConsult(props: { done: (roomId: string | null) => void }) {
  const { client, isStaff } = usePerson();
  const { words } = useInterface();
  const [id, setId] = useState("");
  const [state, setState] = useState<"writing" | "asking" | "failed" | "not_found">("writing");
  const field = useId();
  const note = useId();
  const whom = isStaff ? "patient" : "hospital";

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const wanted = id.trim();
    if (wanted === "" || state === "asking") return;
    setState("asking");
    try {
      const { room } = await client.request("createRoom", {
        kind: "consult",
        ...(isStaff ? { user_id: wanted } : { hospital_id: wanted }),
      });
      props.done(room.room_id);
    } catch (error) {
      const code = refusalOf(error)?.code;
      setState(code === "not_found" || code === "bad_request" ? "not_found" : "failed");
    }
  };

  return (
    <form
      className="new-consult"
      aria-label={words.consult.start}
      onSubmit={(event) => void submit(event)}
      onKeyDown={(event) => event.key === "Escape" && props.done(null)}
    >
      <label htmlFor={field}>{words.consult[whom]}</label>
      <input
        id={field}
        autoFocus
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        value={id}
        aria-describedby={note}
        onChange={(event) => {
          setId(event.target.value);
          setState("writing");
        }}
      />
      <p id={note} role="status" className={state === "failed" || state === "not_found" ? "fault" : "hint"}>
        {state === "failed" ? words.consult.failed : state === "not_found" ? words.consult.notFound : words.consult.hint[whom]}
      </p>
      <div className="buttons">
        <button type="button" className="secondary" onClick={() => props.done(null)}>
          {words.cancel}
        </button>
        <button type="submit" className="primary" disabled={id.trim() === "" || state === "asking"}>
          {words.consult.open}
        </button>
      </div>
    </form>
  );
}
