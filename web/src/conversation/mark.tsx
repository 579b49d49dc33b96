import { Icon, type IconName } from "../icons/icon.tsx";
import { useInterface } from "../words/interface.tsx";

type State = "queued" | "sending" | "sent" | "read" | "refused";
const ICONS: Record<State, IconName> = { queued: "clock", sending: "clock", sent: "sent", read: "read", refused: "alert" };

/** How far a message of one's own has come. */
export function Mark(props: { state: State }) {
  const { words } = useInterface();
  const name = words.mark[props.state];
  return (
    <span className="delivery" data-state={props.state} title={name} role="img" aria-label={name}>
      <Icon name={ICONS[props.state]} />
    </span>
  );
}
