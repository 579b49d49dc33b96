import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import type { Room, RoomStatus } from "@damso/client";
import { usePerson } from "../person/person.tsx";
import { STATUSES } from "../rooms/statuses.ts";
import { useInterface } from "../words/interface.tsx";

/**
 * The hospital sets any status; a patient may close, which they cannot take back. What is chosen changes nothing before a
 * button is pressed, for arrow keys walk through the choices, and closing is asked twice of everybody.
 */
export function StatusChoice(props: { room: Room }) {
  const { client, isStaff } = usePerson();
  const { words } = useInterface();
  const [state, setState] = useState<"quiet" | "sure" | "asking" | "failed">("quiet");
  const [chosen, setChosen] = useState<RoomStatus | null>(null);
  const id = useId();
  const place = useRef<HTMLFieldSetElement>(null);
  const asked = useRef(false);
  useEffect(() => {
    if (asked.current && state !== "sure") place.current?.querySelector<HTMLElement>("select, button")?.focus();
    asked.current = state === "sure";
  }, [state]);
  const { room } = props;
  const wanted = chosen ?? room.status;
  // Without disabling anything meanwhile: what is disabled loses the focus of those who use the keyboard.
  const change = async (status: RoomStatus) => {
    if (state === "asking") return;
    setState("asking");
    try {
      await client.request("changeRoomStatus", { room_id: room.room_id, status });
      setChosen(null);
      setState("quiet");
    } catch {
      setState("failed");
    }
  };
  const leaveIt = () => {
    setChosen(null);
    setState("quiet");
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (wanted === room.status) return;
    if (wanted === "closed") setState("sure");
    else void change(wanted);
  };
  if (!isStaff && room.status === "closed") return null;
  return (
    <fieldset ref={place} aria-busy={state === "asking"}>
      {state === "sure" ? (
        <>
          <p className="hint" role="status">
            {words.status.closeSure[isStaff ? "staff" : "patient"]}
          </p>
          <div className="buttons">
            <button type="button" className="secondary" autoFocus onClick={leaveIt}>
              {words.cancel}
            </button>
            <button type="button" className="primary" onClick={() => void change("closed")}>
              {words.status.closeIt}
            </button>
          </div>
        </>
      ) : isStaff ? (
        <form className="choice status-choice" onSubmit={submit}>
          <label htmlFor={id}>{words.status.label}</label>
          <select id={id} value={wanted} onChange={(event) => setChosen(event.target.value as RoomStatus)}>
            {STATUSES.map((status) => (
              <option key={status} value={status}>
                {words.status[status]}
              </option>
            ))}
          </select>
          <button type="submit" className="secondary" aria-disabled={wanted === room.status}>
            {words.status.set}
          </button>
        </form>
      ) : (
        <button type="button" className="secondary wide" onClick={() => setState("sure")}>
          {words.status.closeIt}
        </button>
      )}
      {state === "failed" && (
        <p className="fault" role="status">
          {words.status.failed}
        </p>
      )}
    </fieldset>
  );
}
