import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { Icon, type IconName } from "../icons/icon.tsx";

/** A button that shows a small panel below itself. Escape and a click elsewhere close it. */
export function Disclosure(props: { icon: IconName; name: string; children: (close: () => void) => ReactNode }) {
  const [open, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();

  useEffect(() => {
    if (!open) return;
    const elsewhere = (event: PointerEvent) => {
      if (!place.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", elsewhere);
    return () => document.removeEventListener("pointerdown", elsewhere);
  }, [open]);

  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <div
      className="disclosure"
      ref={place}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !open) return;
        event.stopPropagation();
        close();
      }}
      onBlur={(event) => {
        if (event.relatedTarget instanceof Node && !place.current?.contains(event.relatedTarget)) setOpen(false);
      }}
    >
      <button
        type="button"
        className="round"
        ref={button}
        aria-expanded={open}
        aria-controls={id}
        aria-label={props.name}
        title={props.name}
        onClick={() => setOpen(!open)}
      >
        <Icon name={props.icon} />
      </button>
      {open && (
        <div id={id} className="disclosed" role="group" aria-label={props.name}>
          {props.children(close)}
        </div>
      )}
    </div>
  );
}
