import type { Refusal } from "@damso/client";

/** The server's refusal. Null for any other error, such as a lost connection. */
export function refusalOf(error: unknown): Refusal | null {
  if (typeof error !== "object" || error === null || !("refusal" in error)) return null;
  return (error as { refusal: Refusal }).refusal;
}
