import { useState } from "react";
import { PersonPane } from "./person/person-pane.tsx";
import { PersonProvider } from "./person/person.tsx";
import { readClaims } from "./sign-in/claims.ts";
import type { Credential } from "./sign-in/fragment.ts";
import { usePeople } from "./sign-in/session.ts";
import { SignInForm } from "./sign-in/sign-in-form.tsx";
import { InterfaceProvider, useInterface } from "./words/interface.tsx";

/** Nobody, one person, or two side by side. */
export function Page() {
  const people = usePeople();
  return (
    <InterfaceProvider>
      {people.length === 0 && <SignInForm />}
      {people.length === 1 && people.map((person) => <One key={person.token} credential={person} />)}
      {people.length === 2 && <Pair people={people} />}
    </InterfaceProvider>
  );
}

function One(props: { credential: Credential }) {
  return (
    <PersonProvider credential={props.credential}>
      <main className="one">
        <PersonPane beside={false} />
      </main>
    </PersonProvider>
  );
}

/** Both sides of a conversation at once, each in the language of its person. Where it is narrow, one at a time. */
function Pair(props: { people: readonly Credential[] }) {
  const { words } = useInterface();
  const [shown, setShown] = useState(0);
  const both = props.people.map((credential) => ({ credential, claims: readClaims(credential.token) }));
  return (
    <main className="pair" data-shown={shown}>
      <nav className="pair-tabs" aria-label={words.signIn.panes}>
        {both.map(({ credential, claims }, index) => (
          <button key={credential.token} type="button" aria-pressed={shown === index} onClick={() => setShown(index)}>
            <bdi>{claims.name ?? credential.name ?? claims.userId}</bdi>
          </button>
        ))}
      </nav>
      {both.map(({ credential, claims }) => (
        <InterfaceProvider key={credential.token} who={claims.userId} wish={claims.language}>
          <PersonProvider credential={credential}>
            <PersonPane beside />
          </PersonProvider>
        </InterfaceProvider>
      ))}
    </main>
  );
}
