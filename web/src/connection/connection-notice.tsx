import { useEffect, useState } from "react";
import { useI18n } from "../i18n/i18n-context.tsx";
import { Icon } from "../icons/icon.tsx";
import { usePerson } from "../person/person.tsx";
import { useConnection } from "../person/use-client.ts";
import { useNow } from "../person/use-now.ts";
import { signOut } from "../sign-in/session.ts";
import { tabStorage } from "../storage/storage.ts";

/** Most interruptions are over before anyone needs to know. */
const NOTICE_DELAY_MS = 2_500;
const EXPIRY_WARNING_MINUTES = 10;

/** Shows that there is no connection, or that the session is about to end. */
export function ConnectionNotice() {
  const { client, claims, storageKey } = usePerson();
  const { strings } = useI18n();
  const state = useConnection();
  const [delayPassed, setDelayPassed] = useState(false);
  // Having been connected before, even before a reload, means that the address is right.
  const key = storageKey("has-connected");
  const [connectedBefore, setConnectedBefore] = useState(() => tabStorage.getItem(key) !== null);
  const [connectedNow, setConnectedNow] = useState(false);
  if (state === "online" && !connectedNow) setConnectedNow(true);
  useEffect(() => {
    if (!connectedNow) return;
    tabStorage.setItem(key, "yes");
    setConnectedBefore(true);
  }, [connectedNow, key]);
  const disconnected = state === "offline" || state === "connecting";
  useEffect(() => {
    if (!disconnected) {
      setDelayPassed(false);
      return;
    }
    const timer = setTimeout(() => setDelayPassed(true), NOTICE_DELAY_MS);
    return () => clearTimeout(timer);
  }, [disconnected]);
  const expiresSoon = claims.expiresAt !== null && claims.expiresAt - Date.now() < 60_000;
  const now = useNow((disconnected && delayPassed) || expiresSoon ? 1_000 : 15_000);
  const minutesLeft = claims.expiresAt === null ? Infinity : Math.ceil((claims.expiresAt - now) / 60_000);
  const expired = minutesLeft <= 0;

  // This device's clock may be wrong. Any request to the server reveals whether the session has ended. It is made every
  // minute for a few minutes, because the clocks may differ slightly.
  const check = Math.max(minutesLeft, -3);
  useEffect(() => {
    if (check <= 0 && state === "online") client.connectNow();
  }, [check, state, client]);

  if (state === "evicted") {
    return (
      <div className="connection-notice">
        <Icon name="alert" />
        <p role="status">{strings.connection.evicted}</p>
        <button type="button" className="text-button" onClick={() => client.connect()}>
          {strings.connection.useHere}
        </button>
      </div>
    );
  }
  if (disconnected && delayPassed) {
    const seconds = client.nextRetryAt === null ? 0 : Math.max(0, Math.ceil((client.nextRetryAt - now) / 1000));
    return (
      <div className="connection-notice">
        <Icon name="clock" />
        <p>
          <span role="status">
            {expired
              ? strings.connection.expired
              : connectedBefore
                ? strings.connection.offline
                : strings.connection.never}
          </span>{" "}
          <span className="muted tabular-numbers">{strings.connection.nextTry(seconds)}</span>
        </p>
        <div className="connection-actions">
          <button type="button" className="text-button" disabled={seconds === 0} onClick={() => client.connectNow()}>
            {strings.connection.tryNow}
          </button>
          {(!connectedNow || expired) && (
            // A refused token looks like no network. Unsent messages stay in this tab until somebody signs in again.
            <button type="button" className="text-button" onClick={() => signOut("expired")}>
              {strings.connection.signInAgain}
            </button>
          )}
        </div>
      </div>
    );
  }
  if (minutesLeft <= EXPIRY_WARNING_MINUTES && !expired) {
    return (
      <div className="connection-notice">
        <Icon name="clock" />
        <p role="status">{strings.connection.endsIn(minutesLeft)}</p>
        <button type="button" className="text-button" onClick={() => signOut("expired")}>
          {strings.connection.signInAgain}
        </button>
      </div>
    );
  }
  return null;
}
