import { useId } from "react";
import { useI18n } from "./i18n-context.tsx";
import { INTERFACE_LANGUAGES, type InterfaceLanguage } from "./index.ts";

export function LanguagePicker(props: { onChoose?: (language: InterfaceLanguage) => void }) {
  const { strings, language, choose } = useI18n();
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{strings.languageOfInterface}</label>
      <select
        id={id}
        value={language}
        onChange={(event) => {
          const chosen = event.target.value as InterfaceLanguage;
          choose(chosen);
          props.onChoose?.(chosen);
        }}
      >
        {Object.entries(INTERFACE_LANGUAGES).map(([tag, name]) => (
          <option key={tag} value={tag} lang={tag}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}
