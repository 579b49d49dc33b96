import { usePerson } from "../person/person.tsx";
import { signOut } from "../sign-in/session.ts";
import { ThemeChoice } from "../theme/theme-choice.tsx";
import { LanguageChoice } from "../words/language-choice.tsx";
import { useInterface } from "../words/interface.tsx";

/** What concerns the page and the session rather than a conversation. */
export function AccountPanel() {
  const { client } = usePerson();
  const { words } = useInterface();
  const everywhere = () => {
    // The server answers by closing the connection; without a connection there is nobody to ask.
    client.request("signOutEverywhere", {}).catch(() => undefined).finally(() => signOut("asked"));
  };
  return (
    <>
      <LanguageChoice />
      <ThemeChoice />
      <hr />
      <button type="button" className="plain start" onClick={() => signOut("asked")}>
        {words.signIn.signOut}
      </button>
      <button type="button" className="plain start" onClick={everywhere}>
        {words.signIn.signOutEverywhere}
      </button>
    </>
  );
}
