import { useId } from "react";
import { useI18n } from "../i18n/i18n-context.tsx";
import type { ReadingPreferences } from "./reading-preferences.ts";

export function ReadingPreferencesPicker(props: {
  preferences: ReadingPreferences;
  save: (preferences: ReadingPreferences) => void;
}) {
  const { strings } = useI18n();
  const { preferences, save } = props;
  const first = useId();
  const showsBoth = preferences.showOriginal && preferences.showTranslation;
  return (
    <fieldset>
      <legend>{strings.reading.label}</legend>
      <div className="field">
        <label htmlFor={first}>{strings.reading.first}</label>
        <select
          id={first}
          value={preferences.first}
          disabled={!showsBoth}
          onChange={(event) => save({ ...preferences, first: event.target.value as ReadingPreferences["first"] })}
        >
          <option value="translation">{strings.reading.translation}</option>
          <option value="original">{strings.reading.original}</option>
        </select>
      </div>
      <label className="option">
        <input
          type="checkbox"
          checked={preferences.showTranslation}
          disabled={!preferences.showOriginal}
          onChange={(event) => save({ ...preferences, showTranslation: event.target.checked })}
        />
        <span>{strings.reading.showTranslation}</span>
      </label>
      <label className="option">
        <input
          type="checkbox"
          checked={preferences.showOriginal}
          disabled={!preferences.showTranslation}
          onChange={(event) => save({ ...preferences, showOriginal: event.target.checked })}
        />
        <span>{strings.reading.showOriginal}</span>
      </label>
    </fieldset>
  );
}
