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
  const { client, claims } = usePerson();
  const { words } = useInterface();
  const state = useConnection();
  const [long, setLong] = useState(false);
  const [known, setKnown] = useState(false);
  if (state === "online" && !known) setKnown(true);
  const away = state === "offline" || state === "connecting";
  useEffect(() => {
    if (!away) return setLong(false);
    const timer = setTimeout(() => setLong(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [away]);
  const soon = claims.endsAt !== null && claims.endsAt - Date.now() < 60_000;
  const now = useNow((away && long) || soon ? 1_000 : 15_000);
  const minutesLeft = claims.endsAt === null ? Infinity : Math.ceil((claims.endsAt - now) / 60_000);

  useEffect(() => {
    if (minutesLeft <= 0) signOut("ended");
  }, [minutesLeft]);

  if (away && long) {
    const seconds = client.nextTryAt === null ? 0 : Math.max(0, Math.ceil((client.nextTryAt - now) / 1000));
    return (
      <div className="connection-notice">
        <Icon name="clock" />
        <p>
          <span role="status">{known ? words.connection.offline : words.connection.never}</span>{" "}
          <span className="quiet steady-digits">{words.connection.nextTry(seconds)}</span>
        </p>
        <button type="button" className="plain" disabled={seconds === 0} onClick={() => client.connectNow()}>
          {words.connection.tryNow}
        </button>
        {!known && (
          <button type="button" className="plain" onClick={() => signOut("asked")}>
            {words.connection.signInAgain}
          </button>
        )}
      </div>
    );
  }
  if (minutesLeft <= LAST_MINUTES) {
    return (
      <div className="connection-notice">
        <Icon name="clock" />
        <p role="status">{words.connection.endsIn(Math.max(1, minutesLeft))}</p>
        <button type="button" className="plain" onClick={() => signOut("ended")}>
          {words.connection.signInAgain}
        </button>
      </div>
    );
  }
  return null;
}
