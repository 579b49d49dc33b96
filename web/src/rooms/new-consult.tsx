import { type FormEvent, useId, useState } from "react";
import { useI18n } from "../i18n/i18n-context.tsx";
import { usePerson } from "../person/person.tsx";
import { refusalOf } from "../person/refusal.ts";

/** Starts a consultation: patients enter the hospital, hospitals the patient. An existing one is opened instead. */
export function NewConsult(props: { done: (roomId: string | null) => void }) {
  const { client, isStaff } = usePerson();
  const { strings } = useI18n();
  const [id, setId] = useState("");
  const [state, setState] = useState<"editing" | "creating" | "failed" | "not_found">("editing");
  const field = useId();
  const noteId = useId();
  const counterpart = isStaff ? "patient" : "hospital";

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const wanted = id.trim();
    if (wanted === "" || state === "creating") return;
    setState("creating");
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
      aria-label={strings.consult.start}
      onSubmit={(event) => void submit(event)}
      onKeyDown={(event) => event.key === "Escape" && props.done(null)}
    >
      <label htmlFor={field}>{strings.consult[counterpart]}</label>
      <input
        id={field}
        autoFocus
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        value={id}
        aria-describedby={noteId}
        onChange={(event) => {
          setId(event.target.value);
          setState("editing");
        }}
      />
      <p id={noteId} role="status" className={state === "failed" || state === "not_found" ? "error" : "hint"}>
        {state === "failed"
          ? strings.consult.failed
          : state === "not_found"
            ? strings.consult.notFound
            : strings.consult.hint[counterpart]}
      </p>
      <div className="buttons">
        <button type="button" className="secondary" onClick={() => props.done(null)}>
          {strings.cancel}
        </button>
        <button type="submit" className="primary" disabled={id.trim() === "" || state === "creating"}>
          {strings.consult.open}
        </button>
      </div>
    </form>
  );
}
