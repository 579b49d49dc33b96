import { useEffect, useRef, useState } from "react";
import { ConnectionNotice } from "../connection/connection-notice.tsx";
import { Conversation } from "../conversation/conversation.tsx";
import { RoomsPanel } from "../rooms/rooms-panel.tsx";
import { signOut } from "../sign-in/session.ts";
import { useInterface } from "../words/interface.tsx";
import { Mark } from "../icons/mark.tsx";
import { usePerson } from "./person.tsx";
import { useConnection, useRooms } from "./use-client.ts";
import { useOpenRoom } from "./use-open-room.ts";

/** The list and the conversation: side by side where there is room, else one at a time. */
export function PersonPane(props: { beside: boolean }) {
  const { claims, name, isStaff, storageKey } = usePerson();
  const { words, language, format } = useInterface();
  const { list } = useRooms();
  const state = useConnection();
  const { open, setOpen, choose, leave } = useOpenRoom(storageKey("open-room"));
  // How often somebody opened a conversation by themself: then they want to be in it.
  const [visits, setVisits] = useState(0);
  const pane = useRef<HTMLElement>(null);
  const last = useRef(open);
  useEffect(() => {
    const left = last.current;
    last.current = open;
    // Whoever goes back to the list goes on where they left it.
    if (open === null && left !== null) {
      const row = pane.current?.querySelector<HTMLElement>(`[data-room="${CSS.escape(left)}"]`);
      (row ?? pane.current?.querySelector<HTMLElement>(".rooms-search input"))?.focus();
    }
  }, [open]);

  // Whoever only looks shall see a conversation, not a list of one.
  const newest = props.beside ? list.rooms[0]?.room_id : undefined;
  const [greeted, setGreeted] = useState(false);
  useEffect(() => {
    if (greeted || newest === undefined) return;
    setGreeted(true);
    setOpen((opened) => opened ?? newest);
  }, [greeted, newest, setOpen]);

  useEffect(() => {
    if (state === "signed_out") signOut("ended");
  }, [state]);

  return (
    <section ref={pane} className="person" data-open={open !== null} lang={language} aria-label={name} data-person={claims.userId}>
      {props.beside && (
        <p className="person-name small">
          <strong dir="auto">{name}</strong>
          <span className="quiet">
            {[isStaff ? words.staff : words.patient, format.language(claims.language)].filter((part) => part !== null).join(" · ")}
          </span>
        </p>
      )}
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
          <div className="nothing-chosen">
            <Mark />
            <p>{words.rooms.choose}</p>
            <p className="quiet">{words.rooms.chooseHint}</p>
          </div>
        ) : (
          <Conversation key={open} roomId={open} visits={visits} leave={leave} />
        )}
      </div>
    </section>
  );
}
