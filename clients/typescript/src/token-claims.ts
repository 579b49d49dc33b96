/** Claims read from a token without verifying it. Only the server decides whether they are true. */
export interface TokenClaims {
  /** When the token expires, in milliseconds since the epoch. Null if it does not say. */
  readonly expiresAt: number | null;
  /** The issuer's id of the user. */
  readonly subject: string | null;
  /** The participant that the server will probably derive, assuming that the claims have their default names. */
  readonly participant: string | null;
  /** The language that the server will probably assume, likewise. */
  readonly language: string | null;
  /** Equal for all tokens with the same claims about the user, whenever they were issued. */
  readonly identity: string;
}

/** Claims that differ between two tokens of the same user. */
const PER_TOKEN_CLAIMS = new Set(["exp", "iat", "nbf", "jti", "auth_time", "sid"]);

export function readTokenClaims(token: string): TokenClaims {
  const claims = decodePayload(token);
  const identity = Object.entries(claims)
    .filter(([name]) => !PER_TOKEN_CLAIMS.has(name))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const { exp, sub, language } = claims;
  return {
    expiresAt: typeof exp === "number" ? exp * 1_000 : null,
    subject: typeof sub === "string" ? sub : null,
    participant: participantFrom(claims),
    language: typeof language === "string" ? language : null,
    identity: JSON.stringify(identity),
  };
}

function participantFrom({ sub, user_type: type, hospital_id: hospital }: Record<string, unknown>): string | null {
  const prefix = type === "hospital" ? "hospital" : "user";
  const id = type === "hospital" ? hospital : sub;
  return typeof id === "string" ? `${prefix}:${id}` : null;
}

function decodePayload(token: string): Record<string, unknown> {
  try {
    const base64 = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === "object" && claims !== null ? (claims as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
