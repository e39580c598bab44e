import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { type Clock, TidemarkError } from '@tidemark/ports';

export interface GetOptions {
  readonly clock: Clock;
  readonly headers: Readonly<Record<string, string>>;
  /** For the whole of it, redirects included, ms. */
  readonly timeoutMs: number;
  /** Bytes of the body, compressed or not; what is beyond isn't read. */
  readonly bodyBytes: number;
  /** Redirects followed, all on the host that was asked. */
  readonly redirects: number;
  /** Certificates to trust instead of the system's, PEM. */
  readonly ca: string | undefined;
  readonly signal: AbortSignal;
}

export interface Got {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: Buffer;
  /** The body was longer than `bodyBytes`. */
  readonly isCut: boolean;
}

const HEADER_BYTES = 16_384;
/** What may come compressed beyond the limit on what it unpacks to: bytes that are on their way when that is reached. */
const AHEAD_BYTES = 256 * 1024;

/**
 * One GET with a bound on everything: time, bytes before and after gzip, redirects, and hosts. Errors: `unavailable`
 * (no connection, a broken answer), `deadline_exceeded`, `failed_precondition` (a redirect or an encoding that isn't
 * followed), `cancelled` (the signal).
 */
export async function boundedGet(url: URL, options: GetOptions): Promise<Got> {
  const { clock, timeoutMs, signal } = options;
  const ending = new AbortController();
  const end = (): void => ending.abort();
  const timer = clock.setTimer(timeoutMs, end);
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  try {
    return await getFollowing(url, options, ending.signal);
  } catch (error) {
    if (error instanceof TidemarkError) throw error;
    if (signal.aborted) throw new TidemarkError('cancelled', 'given up', {}, { cause: error });
    if (ending.signal.aborted) {
      throw new TidemarkError('deadline_exceeded', `no whole answer within ${timeoutMs} ms`, { timeoutMs });
    }
    throw new TidemarkError('unavailable', connectionFailure(error), {}, { cause: error });
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', end);
  }
}

async function getFollowing(url: URL, options: GetOptions, signal: AbortSignal): Promise<Got> {
  let at = url;
  for (let followed = 0; ; followed++) {
    const response = await answerOf(at, options, signal);
    const status = response.statusCode ?? 0;
    const { location } = response.headers;
    if (status < 300 || status > 399 || location === undefined) {
      const { body, isCut } = await bodyOf(response, options.bodyBytes);
      return { status, contentType: response.headers['content-type'], body, isCut };
    }
    response.destroy();
    if (followed >= options.redirects) {
      throw new TidemarkError('failed_precondition', `redirected more than ${options.redirects} times`);
    }
    at = redirected(at, location);
  }
}

/** Where a redirect leads, on the same host: nobody but the settings says whom to ask, and to whom to show a key. */
function redirected(from: URL, location: string): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (to === undefined || to.host !== from.host || (to.protocol !== from.protocol && to.protocol !== 'https:')) {
    throw new TidemarkError(
      'failed_precondition',
      `redirected to ${(to?.origin ?? location).slice(0, 100)}: not followed`,
    );
  }
  return to;
}

function answerOf(url: URL, { headers, ca }: GetOptions, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // A connection of its own: one kept from the last scrape may be closing at this very moment.
    const options: RequestOptions & { ca?: string } = { headers, signal, agent: false, maxHeaderSize: HEADER_BYTES };
    if (ca !== undefined) options.ca = ca;
    const request = url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options);
    request.on('response', resolve);
    request.on('error', reject);
    request.end();
  });
}

async function bodyOf(response: IncomingMessage, limit: number): Promise<Pick<Got, 'body' | 'isCut'>> {
  const encoding = (response.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity') return gathered(response, limit);
  if (encoding !== 'gzip' && encoding !== 'x-gzip') {
    response.destroy();
    throw new TidemarkError('failed_precondition', `the answer's encoding is ${encoding.slice(0, 40)} (limit: gzip)`);
  }
  const gunzip = createGunzip();
  response.on('error', (error) => gunzip.destroy(error));
  // Members without content can go on for ever: what comes in is bounded as what comes out.
  let received = 0;
  response.on('data', (chunk: Buffer) => {
    received += chunk.length;
    if (received > limit + AHEAD_BYTES) response.destroy(new Error(`more than ${limit} compressed bytes`));
  });
  try {
    return await gathered(response.pipe(gunzip), limit);
  } finally {
    response.destroy();
  }
}

async function gathered(stream: Readable, limit: number): Promise<Pick<Got, 'body' | 'isCut'>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const room = limit - size;
    if (chunk.length > room) {
      chunks.push(chunk.subarray(0, room));
      return { body: Buffer.concat(chunks), isCut: true };
    }
    chunks.push(chunk);
    size += chunk.length;
  }
  return { body: Buffer.concat(chunks), isCut: false };
}

function connectionFailure(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return connectionFailure(error.errors[0]);
  const message = typeof error === 'object' && error !== null && 'message' in error ? error.message : error;
  return String(message) || 'no connection';
}
