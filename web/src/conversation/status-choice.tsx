import { useId, useState } from "react";
import type { Room, RoomStatus } from "@damso/client";
import { usePerson } from "../person/person.tsx";
import { STATUSES } from "../rooms/statuses.ts";
import { useInterface } from "../words/interface.tsx";

/** The hospital sets any status; a patient may close, which cannot be taken back and is therefore asked twice. */
export function StatusChoice(props: { room: Room }) {
  const { client, isStaff } = usePerson();
  const { words } = useInterface();
  const [state, setState] = useState<"quiet" | "sure" | "asking" | "failed">("quiet");
  const id = useId();
  const { room } = props;
  // Without disabling anything meanwhile: what is disabled loses the focus of those who use the keyboard.
  const change = async (status: RoomStatus) => {
    if (state === "asking") return;
    setState("asking");
    try {
      await client.request("changeRoomStatus", { room_id: room.room_id, status });
      setState("quiet");
    } catch {
      setState("failed");
    }
  };
  if (!isStaff && room.status === "closed") return null;
  return (
    <fieldset aria-busy={state === "asking"}>
      {isStaff ? (
        <div className="choice">
          <label htmlFor={id}>{words.status.label}</label>
          <select id={id} value={room.status} onChange={(event) => void change(event.target.value as RoomStatus)}>
            {STATUSES.map((status) => (
              <option key={status} value={status}>
                {words.status[status]}
              </option>
            ))}
          </select>
        </div>
      ) : state === "sure" ? (
        <>
          <p className="hint" role="status">
            {words.status.closeSure}
          </p>
          <div className="buttons">
            <button type="button" className="secondary" autoFocus onClick={() => setState("quiet")}>
              {words.cancel}
            </button>
            <button type="button" className="primary" onClick={() => void change("closed")}>
              {words.status.closeIt}
            </button>
          </div>
        </>
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
