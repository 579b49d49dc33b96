import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { Icon, type IconName } from "../icons/icon.tsx";

/** A button that opens a small panel below it. Escape or a click elsewhere closes the panel. */
export function Disclosure(props: { icon: IconName; name: string; children: (close: () => void) => ReactNode }) {
  const [open, setOpen] = useState(false);
  const container = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();

  useEffect(() => {
    if (!open) return;
    const onPointerDown = (event: PointerEvent) => {
      if (!container.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", onPointerDown);
    return () => document.removeEventListener("pointerdown", onPointerDown);
  }, [open]);

  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <div
      className="disclosure"
      ref={container}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !open) return;
        event.stopPropagation();
        close();
      }}
      onBlur={(event) => {
        if (event.relatedTarget instanceof Node && !container.current?.contains(event.relatedTarget)) setOpen(false);
      }}
    >
      <button
        type="button"
        className="icon-button"
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
        <div id={id} className="disclosure-panel" role="group" aria-label={props.name}>
          {props.children(close)}
        </div>
      )}
    </div>
  );
}
