import { useId } from "react";
import { INTERFACE_LANGUAGES, type InterfaceLanguage } from "./index.ts";
import { useInterface } from "./interface.tsx";

export function LanguageChoice() {
  const { words, language, choose } = useInterface();
  const id = useId();
  return (
    <div className="choice">
      <label htmlFor={id}>{words.languageOfInterface}</label>
      <select id={id} value={language} onChange={(event) => choose(event.target.value as InterfaceLanguage)}>
        {Object.entries(INTERFACE_LANGUAGES).map(([tag, name]) => (
          <option key={tag} value={tag} lang={tag}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}
