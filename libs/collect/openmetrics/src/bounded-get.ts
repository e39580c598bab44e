import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { type Clock, TidemarkError } from '@tidemark/ports';

export interface GetOptions {
  readonly clock: Clock;
  readonly headers: Readonly<Record<string, string>>;
  /** Timeout of the whole request including redirects, ms. */
  readonly timeoutMs: number;
  /** Max bytes of the decompressed body; the rest is not read. */
  readonly bodyBytes: number;
  /** Max redirects to follow, all on the requested host. */
  readonly redirects: number;
  /** Certificates to trust instead of the system's, PEM. */
  readonly ca: string | undefined;
  readonly signal: AbortSignal;
}

export interface GetResult {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: Buffer;
  /** The body was longer than `bodyBytes`. */
  readonly isCut: boolean;
}

const HEADER_BYTES = 16_384;
/** Compressed bytes that may exceed the body limit: they are in transit when the decompressed body reaches it. */
const AHEAD_BYTES = 256 * 1024;

/**
 * Sends one GET with limits on time, bytes before and after gzip, redirects, and hosts. Throws `unavailable` (no
 * connection, or a broken response), `deadline_exceeded`, `failed_precondition` (a refused redirect or encoding),
 * `cancelled` (the signal).
 */
export async function boundedGet(url: URL, options: GetOptions): Promise<GetResult> {
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
    if (signal.aborted) throw new TidemarkError('cancelled', 'the scrape was cancelled', {}, { cause: error });
    if (ending.signal.aborted) {
      throw new TidemarkError('deadline_exceeded', `no complete response within ${timeoutMs} ms`, { timeoutMs });
    }
    throw new TidemarkError('unavailable', connectionFailure(error), {}, { cause: error });
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', end);
  }
}

async function getFollowing(url: URL, options: GetOptions, signal: AbortSignal): Promise<GetResult> {
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
      throw new TidemarkError('failed_precondition', `too many redirects (limit: ${options.redirects})`);
    }
    at = redirected(at, location);
  }
}

/** Returns the target of a redirect. Only the settings may name hosts to scrape, and hosts that receive a key. */
function redirected(from: URL, location: string): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (to === undefined || to.host !== from.host || (to.protocol !== from.protocol && to.protocol !== 'https:')) {
    throw new TidemarkError(
      'failed_precondition',
      `redirect to ${(to?.origin ?? location).slice(0, 100)} (limit: same host, same protocol or https)`,
    );
  }
  return to;
}

function answerOf(url: URL, { headers, ca }: GetOptions, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // A new connection, because a kept one may be closing at this moment.
    const options: RequestOptions & { ca?: string } = { headers, signal, agent: false, maxHeaderSize: HEADER_BYTES };
    if (ca !== undefined) options.ca = ca;
    const request = url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options);
    request.on('response', resolve);
    request.on('error', reject);
    request.end();
  });
}

async function bodyOf(response: IncomingMessage, limit: number): Promise<Pick<GetResult, 'body' | 'isCut'>> {
  const encoding = (response.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity') return gathered(response, limit);
  if (encoding !== 'gzip' && encoding !== 'x-gzip') {
    response.destroy();
    throw new TidemarkError('failed_precondition', `content-encoding: ${encoding.slice(0, 40)} (limit: gzip or none)`);
  }
  const gunzip = createGunzip();
  response.on('error', (error) => gunzip.destroy(error));
  // Empty gzip members could continue without end, so the input is bounded like the output.
  let received = 0;
  response.on('data', (chunk: Buffer) => {
    received += chunk.length;
    if (received > limit + AHEAD_BYTES)
      response.destroy(new Error(`compressed body exceeds ${limit + AHEAD_BYTES} bytes`));
  });
  try {
    return await gathered(response.pipe(gunzip), limit);
  } finally {
    response.destroy();
  }
}

async function gathered(stream: Readable, limit: number): Promise<Pick<GetResult, 'body' | 'isCut'>> {
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
