/** What can be read from a token. The server alone decides whether any of it is true; here it only says when to do what. */
export interface TokenClaims {
  /** When the session ends, in milliseconds; null where the token does not say. */
  readonly expiresAt: number | null;
  /** Whose it is, as the issuer calls them. */
  readonly subject: string | null;
  /** As whom the server probably sees them: so it is where the claims have their usual names. */
  readonly participant: string | null;
  /** The same for all tokens that say the same of a person, whenever they were issued. */
  readonly person: string;
}

const OF_ONE_TOKEN = new Set(["exp", "iat", "nbf", "jti", "auth_time", "sid"]);

export function readToken(token: string): TokenClaims {
  const claims = payload(token);
  const lasting = Object.entries(claims).filter(([name]) => !OF_ONE_TOKEN.has(name)).sort(([a], [b]) => (a < b ? -1 : 1));
  const { exp, sub, user_type: type, hospital_id: hospital } = claims;
  const speaker = type === "hospital" ? ["hospital", hospital] : ["user", sub];
  return {
    expiresAt: typeof exp === "number" ? exp * 1_000 : null,
    subject: typeof sub === "string" ? sub : null,
    participant: typeof speaker[1] === "string" ? speaker.join(":") : null,
    person: JSON.stringify(lasting),
  };
}

function payload(token: string): Record<string, unknown> {
  try {
    const part = token.split(".")[1] ?? "";
    const bytes = Uint8Array.from(atob(part.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === "object" && claims !== null ? (claims as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
