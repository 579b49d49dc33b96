/** Signing in by link. Browsers never send the part after `#` to a server. */

export interface Credential {
  url: string;
  token: string;
  /** The name to show if the token has none. */
  name?: string;
}

/** Accepts `ws://` and `wss://` with a host. */
export function parseAddress(text: string): string | null {
  try {
    const url = new URL(text.trim());
    return (url.protocol === "ws:" || url.protocol === "wss:") && url.hostname !== ""
      ? url.href.replace(/\/$/, "")
      : null;
  } catch {
    return null;
  }
}

/** Accepts anything with the form of a signed JWT: three parts of base64url, separated by dots. */
export function parseToken(text: string): string | null {
  const token = text.trim();
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token) ? token : null;
}

/** Whether the connection could be read in transit. Connections to this machine do not count. */
export function isUnencrypted(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === "ws:" && !["127.0.0.1", "localhost", "[::1]"].includes(hostname);
}

export function decodeBase64Url(text: string): string {
  const bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
}

function parseCredential(value: unknown): Credential | null {
  if (typeof value !== "object" || value === null) return null;
  const { url, token, name } = value as Record<string, unknown>;
  const address = typeof url === "string" ? parseAddress(url) : null;
  const valid = typeof token === "string" ? parseToken(token) : null;
  if (address === null || valid === null) return null;
  return { url: address, token: valid, ...(typeof name === "string" && name !== "" ? { name } : {}) };
}

/** `#url=…&token=…&name=…` signs in one person, `#pair=…` two. Null if the link signs in nobody. */
export function parseFragment(fragment: string): Credential[] | null {
  const fields = new URLSearchParams(fragment.replace(/^#/, ""));
  const pair = fields.get("pair");
  if (pair === null) {
    const one = parseCredential({ url: fields.get("url"), token: fields.get("token"), name: fields.get("name") });
    return one === null ? null : [one];
  }
  try {
    const people: unknown = JSON.parse(decodeBase64Url(pair));
    if (!Array.isArray(people) || people.length !== 2) return null;
    const both = people.map(parseCredential);
    return both.every((person) => person !== null) ? both : null;
  } catch {
    return null;
  }
}
