/**
 * Returns the password of an `Authorization: Basic` header (RFC 7617), where Prometheus has a key. The user name has no
 * meaning here.
 */
export function basicPassword(header: string | undefined): string | undefined {
  const encoded = header === undefined ? undefined : /^Basic\s+([\w+/=-]+)$/i.exec(header.trim())?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : text.slice(colon + 1);
}
