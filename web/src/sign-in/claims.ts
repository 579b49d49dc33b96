/** The claims of a token. Only the server verifies them; the page reads them to know who is signed in. */
import { decodeBase64Url } from "./fragment.ts";

export interface Claims {
  userId: string;
  /** `user:<id>` or `hospital:<id>`, as the server names it. */
  participant: string;
  hospitalId: string | null;
  name: string | null;
  language: string | null;
  /** When the token expires, in milliseconds since the epoch. */
  expiresAt: number | null;
}

export function readClaims(token: string): Claims {
  let payload: Record<string, unknown> = {};
  try {
    payload = JSON.parse(decodeBase64Url(token.split(".")[1] ?? "")) as Record<string, unknown>;
  } catch {
    // The server will refuse it.
  }
  const text = (claim: string): string | null => {
    const value = payload[claim];
    return typeof value === "string" && value !== "" ? value : null;
  };
  const userId = text("sub") ?? "";
  const hospitalId = text("user_type") === "hospital" ? text("hospital_id") : null;
  return {
    userId,
    hospitalId,
    participant: hospitalId === null ? `user:${userId}` : `hospital:${hospitalId}`,
    name: text("name"),
    language: text("language"),
    expiresAt: typeof payload.exp === "number" ? payload.exp * 1000 : null,
  };
}
