import { useId } from "react";
import { useI18n } from "../i18n/i18n-context.tsx";
import { chooseTheme, type Theme, useTheme } from "./theme.ts";

export function ThemePicker() {
  const { strings } = useI18n();
  const theme = useTheme();
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{strings.theme}</label>
      <select id={id} value={theme} onChange={(event) => chooseTheme(event.target.value as Theme)}>
        {(["system", "light", "dark"] as const).map((choice) => (
          <option key={choice} value={choice}>
            {strings.themes[choice]}
          </option>
        ))}
      </select>
    </div>
  );
}
