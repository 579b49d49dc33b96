import { useId } from "react";
import { useInterface } from "../words/interface.tsx";
import { chooseTheme, type Theme, useTheme } from "./theme.ts";

export function ThemeChoice() {
  const { words } = useInterface();
  const theme = useTheme();
  const id = useId();
  return (
    <div className="choice">
      <label htmlFor={id}>{words.theme}</label>
      <select id={id} value={theme} onChange={(event) => chooseTheme(event.target.value as Theme)}>
        {(["system", "light", "dark"] as const).map((choice) => (
          <option key={choice} value={choice}>
            {words.themes[choice]}
          </option>
        ))}
      </select>
    </div>
  );
}
