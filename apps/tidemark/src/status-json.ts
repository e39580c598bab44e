import type { StatusReply } from '@tidemark/contract';

/** Formats a status for programs: ids in hex, as in the HTTP API. */
export function statusJson(status: StatusReply): string {
  return JSON.stringify(withHex(status), undefined, 2);
}

function withHex(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(withHex);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, withHex(field)]));
}
