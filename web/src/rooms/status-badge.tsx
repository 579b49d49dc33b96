import type { RoomStatus } from "@damso/client";
import { useI18n } from "../i18n/i18n-context.tsx";

export function StatusBadge(props: { status: RoomStatus }) {
  const { strings } = useI18n();
  return (
    <span className="status-badge" data-status={props.status}>
      {strings.status[props.status] ?? props.status}
    </span>
  );
}
