import { useState } from "react";
import { usePerson } from "../person/person.tsx";
import { useConnection } from "../person/use-client.ts";
import { signOut } from "../sign-in/session.ts";
import { ThemeChoice } from "../theme/theme-choice.tsx";
import { LanguageChoice } from "../words/language-choice.tsx";
import { useInterface } from "../words/interface.tsx";

/** What concerns the page and the session rather than a conversation. */
export function AccountPanel() {
  const { client } = usePerson();
  const { words } = useInterface();
  const online = useConnection() === "online";
  const [state, setState] = useState<"quiet" | "asking" | "failed">("quiet");
  // What is deleted with the session is asked about first.
  const [sure, setSure] = useState<{ unsent: number; leave: () => void } | null>(null);
  const here = () => signOut("asked");
  const everywhere = () => {
    setSure(null);
    setState("asking");
    // The server answers by closing the connection.
    client.request("signOutEverywhere", {}).then(here, () => setState("failed"));
  };
  const choose = (leave: () => void) => {
    const unsent = client.outgoing.length;
    if (unsent === 0) leave();
    else setSure({ unsent, leave });
  };
  return (
    <>
      <LanguageChoice />
      <ThemeChoice />
      <hr />
      {sure === null ? (
        <>
          <button type="button" className="plain start" onClick={() => choose(here)}>
            {words.signIn.signOut}
          </button>
          <button type="button" className="plain start" disabled={!online || state === "asking"} onClick={() => choose(everywhere)}>
            {words.signIn.signOutEverywhere}
          </button>
          {state === "failed" && (
            <p className="fault" role="status">
              {words.signIn.everywhereFailed}
            </p>
          )}
        </>
      ) : (
        <div>
          <p className="hint" role="status">
            {words.signIn.unsent(sure.unsent)}
          </p>
          <div className="buttons">
            <button type="button" className="secondary" autoFocus onClick={() => setSure(null)}>
              {words.cancel}
            </button>
            <button type="button" className="primary" onClick={sure.leave}>
              {words.signIn.signOut}
            </button>
          </div>
        </div>
      )}
    </>
  );
}
