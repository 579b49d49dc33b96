import { type FormEvent, useId, useState } from "react";
import { LanguageChoice } from "../words/language-choice.tsx";
import { useInterface } from "../words/interface.tsx";
import { Mark } from "../icons/mark.tsx";
import { ThemeChoice } from "../theme/theme-choice.tsx";
import { isReadableOnTheWay, parseAddress, parseToken } from "./fragment.ts";
import { hasEnded, signIn } from "./session.ts";

const LAST_ADDRESS = "damso.address";

/** For those who come without a link: the address and the token that it would have carried. */
export function SignInForm() {
  const { words } = useInterface();
  const [url, setUrl] = useState(() => localStorage.getItem(LAST_ADDRESS) ?? "");
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
    localStorage.setItem(LAST_ADDRESS, address);
    signIn({ url: address, token: valid });
  };

  return (
    <main className="sign-in">
      <form className="sign-in-card" onSubmit={submit} noValidate>
        <div className="sign-in-brand">
          <Mark />
          <span>{words.product}</span>
        </div>
        <h1>{words.signIn.title}</h1>
        <p className={hasEnded() ? "notice" : "quiet"} role={hasEnded() ? "status" : undefined}>
          {hasEnded() ? words.signIn.ended : words.signIn.intro}
        </p>
        <label htmlFor={ids.url}>{words.signIn.address}</label>
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
        <p id={ids.urlNote} className={urlWrong ? "fault" : "hint"}>
          {urlWrong
            ? words.signIn.badAddress
            : address !== null && isReadableOnTheWay(address)
              ? words.signIn.insecure
              : words.signIn.addressHint}
        </p>
        <label htmlFor={ids.token}>{words.signIn.token}</label>
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
        <p id={ids.tokenNote} className={tokenWrong ? "fault" : "hint"}>
          {tokenWrong ? words.signIn.badToken : words.signIn.privacy}
        </p>
        <button type="submit" className="primary wide">
          {words.signIn.go}
        </button>
      </form>
      <div className="sign-in-choices">
        <LanguageChoice />
        <ThemeChoice />
      </div>
    </main>
  );
}
