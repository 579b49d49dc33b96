import type { RoomStatus } from "@damso/client";
import { useInterface } from "../words/interface.tsx";

export function StatusBadge(props: { status: RoomStatus }) {
  const { words } = useInterface();
  return (
    <span className="status" data-status={props.status}>
      {words.status[props.status]}
    </span>
  );
}
