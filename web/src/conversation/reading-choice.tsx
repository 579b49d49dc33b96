import { useId } from "react";
import { useInterface } from "../words/interface.tsx";
import type { Reading } from "./reading.ts";

export function ReadingChoice(props: { reading: Reading; choose: (reading: Reading) => void }) {
  const { words } = useInterface();
  const { reading, choose } = props;
  const first = useId();
  const both = reading.showOriginal && reading.showTranslation;
  return (
    <fieldset>
      <legend>{words.reading.label}</legend>
      <div className="choice">
        <label htmlFor={first}>{words.reading.first}</label>
        <select
          id={first}
          value={reading.first}
          disabled={!both}
          onChange={(event) => choose({ ...reading, first: event.target.value as Reading["first"] })}
        >
          <option value="translation">{words.reading.translation}</option>
          <option value="original">{words.reading.original}</option>
        </select>
      </div>
      <label className="radio">
        <input
          type="checkbox"
          checked={reading.showTranslation}
          disabled={!reading.showOriginal}
          onChange={(event) => choose({ ...reading, showTranslation: event.target.checked })}
        />
        <span>{words.reading.showTranslation}</span>
      </label>
      <label className="radio">
        <input
          type="checkbox"
          checked={reading.showOriginal}
          disabled={!reading.showTranslation}
          onChange={(event) => choose({ ...reading, showOriginal: event.target.checked })}
        />
        <span>{words.reading.showOriginal}</span>
      </label>
    </fieldset>
  );
}
