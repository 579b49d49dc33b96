import { useI18n } from "../i18n/i18n-context.tsx";
import { Icon, type IconName } from "../icons/icon.tsx";

type State = "queued" | "sending" | "sent" | "read" | "failed";
const ICONS: Record<State, IconName> = {
  queued: "clock",
  sending: "clock",
  sent: "sent",
  read: "read",
  failed: "alert",
};

/** The delivery status of one's own message. */
export function DeliveryStatus(props: { state: State }) {
  const { strings } = useI18n();
  const name = strings.delivery[props.state];
  return (
    <span className="delivery-status" data-state={props.state} title={name} role="img" aria-label={name}>
      <Icon name={ICONS[props.state]} />
    </span>
  );
}
