import { useState } from "react";
import { useI18n } from "../i18n/i18n-context.tsx";
import { LanguagePicker } from "../i18n/language-picker.tsx";
import { usePerson } from "../person/person.tsx";
import { useConnection } from "../person/use-client.ts";
import { signOut } from "../sign-in/session.ts";
import { ThemePicker } from "../theme/theme-picker.tsx";

/** Settings of the page, and signing out. */
export function AccountPanel() {
  const { client, readIn } = usePerson();
  const { strings } = useI18n();
  const online = useConnection() === "online";
  const [state, setState] = useState<"idle" | "signing_out" | "failed">("idle");
  // Signing out deletes unsent messages, so it asks first.
  const [confirming, setConfirming] = useState<{ unsent: number; leave: () => void } | null>(null);
  const signOutHere = () => signOut("requested");
  const signOutEverywhere = () => {
    setConfirming(null);
    setState("signing_out");
    // The server replies by closing the connection.
    client.request("signOutEverywhere", {}).then(signOutHere, () => setState("failed"));
  };
  const confirm = (leave: () => void) => {
    const unsent = client.outgoing.length;
    if (unsent === 0) leave();
    else setConfirming({ unsent, leave });
  };
  return (
    <>
      <LanguagePicker onChoose={readIn} />
      <ThemePicker />
      <hr />
      {confirming === null ? (
        <>
          <button type="button" className="text-button align-start" onClick={() => confirm(signOutHere)}>
            {strings.signIn.signOut}
          </button>
          <button
            type="button"
            className="text-button align-start"
            disabled={!online || state === "signing_out"}
            onClick={() => confirm(signOutEverywhere)}
          >
            {strings.signIn.signOutEverywhere}
          </button>
          {state === "failed" && (
            <p className="error" role="status">
              {strings.signIn.everywhereFailed}
            </p>
          )}
        </>
      ) : (
        <div>
          <p className="hint" role="status">
            {strings.signIn.unsent(confirming.unsent)}
          </p>
          <div className="buttons">
            <button type="button" className="secondary" autoFocus onClick={() => setConfirming(null)}>
              {strings.cancel}
            </button>
            <button type="button" className="primary" onClick={confirming.leave}>
              {strings.signIn.signOut}
            </button>
          </div>
        </div>
      )}
    </>
  );
}
