import { useEffect, useRef, useState } from "react";
import { ConnectionNotice } from "../connection/connection-notice.tsx";
import { Conversation } from "../conversation/conversation.tsx";
import { useI18n } from "../i18n/i18n-context.tsx";
import { Logo } from "../icons/logo.tsx";
import { RoomsPanel } from "../rooms/rooms-panel.tsx";
import { signOut } from "../sign-in/session.ts";
import { StorageNotice } from "../storage/storage-notice.tsx";
import { usePerson } from "./person.tsx";
import { useConnection, useRooms } from "./use-client.ts";
import { useOpenRoom } from "./use-open-room.ts";

/** The room list and the conversation: next to each other if there is space, otherwise one at a time. */
export function PersonPane(props: { isOneOfTwo: boolean }) {
  const { claims, name, isStaff, storageKey } = usePerson();
  const { strings, language, format } = useI18n();
  const { list } = useRooms();
  const state = useConnection();
  const { open, setOpen, choose, leave } = useOpenRoom(storageKey("open-room"));
  // How often a conversation was opened by hand, which moves the focus into it.
  const [visits, setVisits] = useState(0);
  const pane = useRef<HTMLElement>(null);
  const previous = useRef(open);
  useEffect(() => {
    const left = previous.current;
    previous.current = open;
    // Back in the list, the focus returns to the conversation that was left.
    if (open === null && left !== null) {
      const row = pane.current?.querySelector<HTMLElement>(`[data-room="${CSS.escape(left)}"]`);
      (row ?? pane.current?.querySelector<HTMLElement>(".rooms-search input"))?.focus();
    }
  }, [open]);

  // Two panes are a demonstration, so the newest conversation opens without a click.
  const newest = props.isOneOfTwo ? list.rooms[0]?.room_id : undefined;
  const [autoOpened, setAutoOpened] = useState(false);
  useEffect(() => {
    if (autoOpened || newest === undefined) return;
    setAutoOpened(true);
    setOpen((opened) => opened ?? newest);
  }, [autoOpened, newest, setOpen]);

  useEffect(() => {
    if (state === "signed_out") signOut("expired");
  }, [state]);

  return (
    <section
      ref={pane}
      className="person"
      data-open={open !== null}
      lang={language}
      aria-label={name}
      data-person={claims.userId}
    >
      {props.isOneOfTwo && (
        <p className="person-name small">
          <strong dir="auto">{name}</strong>
          <span className="muted">
            {[isStaff ? strings.staff : strings.patient, format.language(claims.language)]
              .filter((part) => part !== null)
              .join(" · ")}
          </span>
        </p>
      )}
      <StorageNotice />
      <ConnectionNotice />
      <div className="person-panes">
        <RoomsPanel
          chosen={open}
          choose={(roomId) => {
            choose(roomId);
            setVisits(visits + 1);
          }}
        />
        {open === null ? (
          <div className="empty-pane">
            <Logo />
            <p>{strings.rooms.choose}</p>
            <p className="muted">{strings.rooms.chooseHint}</p>
          </div>
        ) : (
          <Conversation key={open} roomId={open} visits={visits} leave={leave} />
        )}
      </div>
    </section>
  );
}
