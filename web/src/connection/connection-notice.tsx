import { useEffect, useState } from "react";
import { Icon } from "../icons/icon.tsx";
import { usePerson } from "../person/person.tsx";
import { useConnection } from "../person/use-client.ts";
import { useNow } from "../person/use-now.ts";
import { signOut } from "../sign-in/session.ts";
import { useInterface } from "../words/interface.tsx";

/** A short cut is mended before anybody needs to know of it. */
const PATIENCE_MS = 2_500;
const LAST_MINUTES = 10;

/** Says that there is no connection, or that the session is about to end; says nothing while all is well. */
export function ConnectionNotice() {
  const { client, claims, storageKey } = usePerson();
  const { words } = useInterface();
  const state = useConnection();
  const [long, setLong] = useState(false);
  // Whoever was let in once, also before the page was loaded anew, has the right address.
  const key = storageKey("let-in");
  const [known, setKnown] = useState(() => sessionStorage.getItem(key) !== null);
  const [metNow, setMetNow] = useState(false);
  if (state === "online" && !metNow) setMetNow(true);
  useEffect(() => {
    if (!metNow) return;
    sessionStorage.setItem(key, "yes");
    setKnown(true);
  }, [metNow, key]);
  const away = state === "offline" || state === "connecting";
  useEffect(() => {
    if (!away) return setLong(false);
    const timer = setTimeout(() => setLong(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [away]);
  const soon = claims.endsAt !== null && claims.endsAt - Date.now() < 60_000;
  const now = useNow((away && long) || soon ? 1_000 : 15_000);
  const minutesLeft = claims.endsAt === null ? Infinity : Math.ceil((claims.endsAt - now) / 60_000);
  const over = minutesLeft <= 0;

  // This device's clock may be wrong. The server's is not: asked for anything, it says whether the session has ended. It
  // is asked for some minutes, because the two may differ by less.
  const asks = Math.max(minutesLeft, -3);
  useEffect(() => {
    if (asks <= 0 && state === "online") client.connectNow();
  }, [asks, state, client]);

  if (away && long) {
    const seconds = client.nextTryAt === null ? 0 : Math.max(0, Math.ceil((client.nextTryAt - now) / 1000));
    return (
      <div className="connection-notice">
        <Icon name="clock" />
        <p>
          <span role="status">{over ? words.connection.over : known ? words.connection.offline : words.connection.never}</span>{" "}
          <span className="quiet steady-digits">{words.connection.nextTry(seconds)}</span>
        </p>
        <div className="connection-choices">
          <button type="button" className="plain" disabled={seconds === 0} onClick={() => client.connectNow()}>
            {words.connection.tryNow}
          </button>
          {(!metNow || over) && (
            // A refused token looks like no network. What was written waits in this tab for whoever signs in again.
            <button type="button" className="plain" onClick={() => signOut("ended")}>
              {words.connection.signInAgain}
            </button>
          )}
        </div>
      </div>
    );
  }
  if (minutesLeft <= LAST_MINUTES && !over) {
    return (
      <div className="connection-notice">
        <Icon name="clock" />
        <p role="status">{words.connection.endsIn(minutesLeft)}</p>
        <button type="button" className="plain" onClick={() => signOut("ended")}>
          {words.connection.signInAgain}
        </button>
      </div>
    );
  }
  return null;
}
