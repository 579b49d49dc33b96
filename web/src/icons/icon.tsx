/** Stroked on a grid of 20. An icon is always next to a text or inside a button with an accessible name. */
const PATHS = {
  back: "M12 4.500 6.500 10l5.500 5.500",
  send: "M10 16V4.500M5 9.500l5-5 5 5",
  search: "M9 14.500a5.500 5.500 0 1 0 0-11 5.500 5.500 0 0 0 0 11ZM13 13l3.500 3.500",
  close: "M5 5l10 10M15 5 5 15",
  settings:
    "M3.500 6h7M14.500 6h2M12.500 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM3.500 14h2M9.500 14h7M7.500 16a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z",
  plus: "M10 4.500v11M4.500 10h11",
  down: "M10 4.500v11M5 10.500l5 5 5-5",
  clock: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM10 6.500V10l2.500 1.500",
  sent: "M4.500 10.500 8 14l7.500-8",
  read: "M1.500 10.500 5 14l7.500-8M9.500 13l1 1L18 6",
  alert: "M10 6v5M10 13.800v.1M10 17.500a7.500 7.500 0 1 0 0-15 7.500 7.500 0 0 0 0 15Z",
  pen: "M4 16l.800-3.500L13 4.300a1.500 1.500 0 0 1 2.100 0l.600.600a1.500 1.500 0 0 1 0 2.100L7.500 15.200 4 16Z",
  people:
    "M7.500 9.500a2.750 2.750 0 1 0 0-5.500 2.750 2.750 0 0 0 0 5.500ZM2.500 16c0-2.500 2-4.500 5-4.500s5 2 5 4.500M13 9.500a2.250 2.250 0 1 0-.500-4.450M14 11.700c2.100.300 3.500 2 3.500 4.300",
} as const;
export type IconName = keyof typeof PATHS;

export function Icon(props: { name: IconName; className?: string }) {
  return (
    <svg className={`icon ${props.className ?? ""}`} viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
      <path d={PATHS[props.name]} />
    </svg>
  );
}
