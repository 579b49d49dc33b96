import { type FormEvent, useId, useState } from "react";
import { useI18n } from "../i18n/i18n-context.tsx";
import { LanguagePicker } from "../i18n/language-picker.tsx";
import { Logo } from "../icons/logo.tsx";
import { browserStorage } from "../storage/storage.ts";
import { StorageNotice } from "../storage/storage-notice.tsx";
import { ThemePicker } from "../theme/theme-picker.tsx";
import { isUnencrypted, parseAddress, parseToken } from "./fragment.ts";
import { hasExpired, signIn } from "./session.ts";

const LAST_ADDRESS = "damso.address";

/** Sign-in without a link: asks for the address and the token that the link would contain. */
export function SignInForm() {
  const { strings } = useI18n();
  const [url, setUrl] = useState(() => browserStorage.getItem(LAST_ADDRESS) ?? "");
  const [token, setToken] = useState("");
  const [tried, setTried] = useState(false);
  const ids = { url: useId(), urlNote: useId(), token: useId(), tokenNote: useId() };
  const address = parseAddress(url);
  const valid = parseToken(token);
  const urlWrong = tried && address === null;
  const tokenWrong = tried && valid === null;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (address === null || valid === null) return;
    browserStorage.setItem(LAST_ADDRESS, address);
    signIn({ url: address, token: valid });
  };

  return (
    <main className="sign-in">
      <StorageNotice />
      <form className="sign-in-card" onSubmit={submit} noValidate>
        <div className="sign-in-brand">
          <Logo />
          <span>{strings.product}</span>
        </div>
        <h1>{strings.signIn.title}</h1>
        <p className={hasExpired() ? "notice" : "muted"} role={hasExpired() ? "status" : undefined}>
          {hasExpired() ? strings.signIn.ended : strings.signIn.intro}
        </p>
        <label htmlFor={ids.url}>{strings.signIn.address}</label>
        <input
          id={ids.url}
          type="url"
          inputMode="url"
          autoComplete="off"
          spellCheck={false}
          placeholder="wss://"
          value={url}
          onChange={(event) => setUrl(event.target.value)}
          aria-invalid={urlWrong}
          aria-describedby={ids.urlNote}
        />
        <p id={ids.urlNote} className={urlWrong ? "error" : "hint"}>
          {urlWrong
            ? strings.signIn.badAddress
            : address !== null && isUnencrypted(address)
              ? strings.signIn.insecure
              : strings.signIn.addressHint}
        </p>
        <label htmlFor={ids.token}>{strings.signIn.token}</label>
        <input
          id={ids.token}
          type="password"
          autoComplete="off"
          spellCheck={false}
          value={token}
          onChange={(event) => setToken(event.target.value)}
          aria-invalid={tokenWrong}
          aria-describedby={ids.tokenNote}
        />
        <p id={ids.tokenNote} className={tokenWrong ? "error" : "hint"}>
          {tokenWrong ? strings.signIn.badToken : strings.signIn.privacy}
        </p>
        <button type="submit" className="primary full-width">
          {strings.signIn.submit}
        </button>
      </form>
      <div className="sign-in-settings">
        <LanguagePicker />
        <ThemePicker />
      </div>
    </main>
  );
}
