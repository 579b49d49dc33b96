import { useState } from "react";
import { I18nProvider, useI18n } from "./i18n/i18n-context.tsx";
import { PersonProvider } from "./person/person.tsx";
import { PersonPane } from "./person/person-pane.tsx";
import { readClaims } from "./sign-in/claims.ts";
import type { Credential } from "./sign-in/fragment.ts";
import { usePeople } from "./sign-in/session.ts";
import { SignInForm } from "./sign-in/sign-in-form.tsx";

/** Shows the sign-in form, one person, or both sides of a conversation. */
export function Page() {
  const people = usePeople();
  return (
    <I18nProvider>
      {people.length === 0 && <SignInForm />}
      {people.length === 1 && people.map((person) => <SinglePerson key={person.token} credential={person} />)}
      {people.length === 2 && <Pair people={people} />}
    </I18nProvider>
  );
}

function SinglePerson(props: { credential: Credential }) {
  return (
    <PersonProvider credential={props.credential}>
      <main className="single">
        <PersonPane isOneOfTwo={false} />
      </main>
    </PersonProvider>
  );
}

/** Both sides of a conversation, each in its own language. On narrow screens, one at a time with tabs. */
function Pair(props: { people: readonly Credential[] }) {
  const { strings } = useI18n();
  const [shown, setShown] = useState(0);
  const both = props.people.map((credential) => ({ credential, claims: readClaims(credential.token) }));
  return (
    <main className="pair" data-shown={shown}>
      <nav className="pair-tabs" aria-label={strings.signIn.panes}>
        {both.map(({ credential, claims }, index) => (
          <button key={credential.token} type="button" aria-pressed={shown === index} onClick={() => setShown(index)}>
            <bdi>{claims.name ?? credential.name ?? claims.userId}</bdi>
          </button>
        ))}
      </nav>
      {both.map(({ credential, claims }) => (
        <I18nProvider key={credential.token} userId={claims.userId} preferred={claims.language}>
          <PersonProvider credential={credential}>
            <PersonPane isOneOfTwo />
          </PersonProvider>
        </I18nProvider>
      ))}
    </main>
  );
}
