import type { Refusal } from "@damso/client";

/** What the server said no with; null where it said nothing, for example because the connection was lost. */
export function refusalOf(error: unknown): Refusal | null {
  if (typeof error !== "object" || error === null || !("refusal" in error)) return null;
  return (error as { refusal: Refusal }).refusal;
}
