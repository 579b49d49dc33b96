/** What a token says about its owner. The server checks it; the page only reads it to know whom it speaks for. */
import { decodeBase64Url } from "./fragment.ts";

export interface Claims {
  userId: string;
  /** As the server names them: `user:<id>` or `hospital:<id>`. */
  participant: string;
  hospitalId: string | null;
  name: string | null;
  language: string | null;
  /** When the token ends, in milliseconds. */
  endsAt: number | null;
}

export function readClaims(token: string): Claims {
  let payload: Record<string, unknown> = {};
  try {
    payload = JSON.parse(decodeBase64Url(token.split(".")[1] ?? "")) as Record<string, unknown>;
  } catch {
    // The server will refuse it, and say so.
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
    endsAt: typeof payload["exp"] === "number" ? payload["exp"] * 1000 : null,
  };
}
