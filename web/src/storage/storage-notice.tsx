import { useState } from "react";
import { useI18n } from "../i18n/i18n-context.tsx";
import { Icon } from "../icons/icon.tsx";
import { browserStorage, tabStorage } from "./storage.ts";

/** Says what is lost if the browser forbids the page to store anything, until it is closed. */
export function StorageNotice() {
  const { strings } = useI18n();
  const [closed, setClosed] = useState(browserStorage.isPersistent && tabStorage.isPersistent);
  if (closed) return null;
  return (
    <div className="connection-notice">
      <Icon name="alert" />
      <p role="status">{strings.connection.notStored}</p>
      <button type="button" className="text-button" onClick={() => setClosed(true)}>
        {strings.close}
      </button>
    </div>
  );
}
