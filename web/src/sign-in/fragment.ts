/** Whom a link signs in. What stands after `#` is never sent to a server. */

/** What somebody needs to be let in. */
export interface Credential {
  url: string;
  token: string;
  /** What to call them where the token does not say. */
  name?: string;
}

/** `ws://` or `wss://` with a host; anything else is no address. */
export function parseAddress(text: string): string | null {
  try {
    const url = new URL(text.trim());
    return (url.protocol === "ws:" || url.protocol === "wss:") && url.hostname !== "" ? url.href.replace(/\/$/, "") : null;
  } catch {
    return null;
  }
}

/** Three parts of base64url with dots between them, as every signed JWT has. */
export function parseToken(text: string): string | null {
  const token = text.trim();
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token) ? token : null;
}

/** Whether what is sent there can be read on the way. A browser's own machine does not count. */
export function isReadableOnTheWay(address: string): boolean {
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

/** `#url=…&token=…&name=…` is one person, `#pair=…` are two; null is a link that signs nobody in. */
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
