import { STATUS_CODES } from 'node:http';

/** What an error has in the body of an answer. */
interface ErrorBody {
  readonly message: string;
  readonly code: 'unavailable' | 'invalid_argument';
  readonly detail?: Readonly<Record<string, string | number>>;
}

/** Seconds after which a sender retries what was not received for a reason of the platform. */
const RETRY_S = 1;

/**
 * Returns an answer as it is on the wire, for a connection without a request that could be replied to. It ends the
 * connection. Codes that senders retry have the time in `Retry-After`, and in the header that Datadog's API client reads.
 */
export function rawAnswer(status: number, { message, code, detail = {} }: ErrorBody): string {
  const body = JSON.stringify({ errors: [message], code, detail });
  const retry = code === 'unavailable' ? [`retry-after: ${RETRY_S}`, `x-ratelimit-reset: ${RETRY_S}`] : [];
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'connection: close',
    ...retry,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

/** Returns the answer for a connection that is closed for a new one. */
export function connectionRefusal(reason: string): string {
  return rawAnswer(503, { message: `connections: ${reason}; retry`, code: 'unavailable' });
}
