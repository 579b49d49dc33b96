import type { Room, RoomStatus } from "@damso/client";
import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { useI18n } from "../i18n/i18n-context.tsx";
import { usePerson } from "../person/person.tsx";
import { STATUSES } from "../rooms/statuses.ts";

/**
 * The hospital sets any status; a patient may only close the consultation and cannot reopen it. Choosing an option
 * changes nothing until a button is pressed, because arrow keys walk through them. Closing asks for confirmation.
 */
export function StatusPicker(props: { room: Room }) {
  const { client, isStaff } = usePerson();
  const { strings } = useI18n();
  const [state, setState] = useState<"idle" | "confirming" | "saving" | "failed">("idle");
  const [chosen, setChosen] = useState<RoomStatus | null>(null);
  const id = useId();
  const fieldset = useRef<HTMLFieldSetElement>(null);
  const wasConfirming = useRef(false);
  useEffect(() => {
    if (wasConfirming.current && state !== "confirming")
      fieldset.current?.querySelector<HTMLElement>("select, button")?.focus();
    wasConfirming.current = state === "confirming";
  }, [state]);
  const { room } = props;
  const wanted = chosen ?? room.status;
  // Nothing is disabled while saving, because a disabled element loses the keyboard focus.
  const change = async (status: RoomStatus) => {
    if (state === "saving") return;
    setState("saving");
    try {
      await client.request("changeRoomStatus", { room_id: room.room_id, status });
      setChosen(null);
      setState("idle");
    } catch {
      setState("failed");
    }
  };
  const cancel = () => {
    setChosen(null);
    setState("idle");
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (wanted === room.status) return;
    if (wanted === "closed") setState("confirming");
    else void change(wanted);
  };
  if (!isStaff && room.status === "closed") return null;
  return (
    <fieldset ref={fieldset} aria-busy={state === "saving"}>
      {state === "confirming" ? (
        <>
          <p className="hint" role="status">
            {strings.status.confirmClose[isStaff ? "staff" : "patient"]}
          </p>
          <div className="buttons">
            <button type="button" className="secondary" autoFocus onClick={cancel}>
              {strings.cancel}
            </button>
            <button type="button" className="primary" onClick={() => void change("closed")}>
              {strings.status.close}
            </button>
          </div>
        </>
      ) : isStaff ? (
        <form className="field status-field" onSubmit={submit}>
          <label htmlFor={id}>{strings.status.label}</label>
          <select id={id} value={wanted} onChange={(event) => setChosen(event.target.value as RoomStatus)}>
            {STATUSES.map((status) => (
              <option key={status} value={status}>
                {strings.status[status]}
              </option>
            ))}
          </select>
          <button type="submit" className="secondary" aria-disabled={wanted === room.status}>
            {strings.status.set}
          </button>
        </form>
      ) : (
        <button type="button" className="secondary full-width" onClick={() => setState("confirming")}>
          {strings.status.close}
        </button>
      )}
      {state === "failed" && (
        <p className="error" role="status">
          {strings.status.failed}
        </p>
      )}
    </fieldset>
  );
}
