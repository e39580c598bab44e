import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { type FakeTrouble, fakeAnswer, fakeMetrics, fakeStatus, fakeTags } from './fake-data.ts';
import { FakeMeanings } from './fake-meanings.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** The policy that the real server sends with every answer (libs/query/http-api). */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self' data:; " +
  "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const METRIC_PATH = /^\/api\/v1\/metrics\/([^/]+)$/;

/** Age of the completeness of all answers, ms. */
const BEHIND_MS = 3_600;

/** Serves the built page and an API with a few invented series. Tests set what fails. */
export class FakeServer {
  readonly #server: Server;
  readonly #folder: string;
  /** Answers 503 to every request of the API. */
  isAway = false;
  hasMetrics = true;
  /** Most metrics in one answer. */
  metricLimit = 1_000;
  /** Time that an answer takes, ms, by the address of the request. */
  delayMs: (url: URL) => number = () => 0;
  isLocked = false;
  /** Completeness is unknown, and a part has failed. */
  hasPartError = false;
  trouble: FakeTrouble = {};
  /** Answers queries instead of the invented series, in the shape of `/api/v1/query`. */
  answerOf: ((query: string, fromMs: number, toMs: number) => object) | undefined;
  readonly meanings = new FakeMeanings();
  /** Queries in the order that they came. */
  readonly queries: string[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error) => response.writeHead(500).end(String(error)));
    });
  }

  static async start(folder: string, port = 0): Promise<FakeServer> {
    const fake = new FakeServer(folder);
    await new Promise<void>((resolve) => fake.#server.listen(port, '127.0.0.1', resolve));
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    response.setHeader('content-security-policy', CONTENT_SECURITY_POLICY);
    if (!url.pathname.startsWith('/api/')) return this.#file(url.pathname, response);
    const delayMs = this.delayMs(url);
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    const [status, body] = request.method === 'PUT' ? await this.#put(url, request) : this.#api(url);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  async #file(pathname: string, response: ServerResponse): Promise<void> {
    const name = normalize(pathname === '/' ? '/index.html' : pathname);
    try {
      const body = await readFile(join(this.#folder, name));
      response.writeHead(200, { 'content-type': TYPES[extname(name)] ?? 'application/octet-stream' }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  }

  async #put({ pathname }: URL, request: IncomingMessage): Promise<readonly [number, unknown]> {
    const [, metric] = METRIC_PATH.exec(pathname) ?? [];
    if (metric === undefined) return [404, { errors: ['not found'], code: 'not_found', detail: {} }];
    return this.meanings.state(decodeURIComponent(metric), JSON.parse(await textOf(request)));
  }

  #api(url: URL): readonly [number, unknown] {
    const field = (name: string): string => url.searchParams.get(name) ?? '';
    if (this.isAway) return [503, { errors: ['the platform is stopping'], code: 'unavailable', detail: {} }];
    if (this.isLocked) return [401, { errors: ['a key is needed'], code: 'unauthenticated', detail: {} }];
    const nowMs = Date.now();
    const [, metric] = METRIC_PATH.exec(url.pathname) ?? [];
    if (metric !== undefined) return [200, this.meanings.of(decodeURIComponent(metric))];
    switch (url.pathname) {
      case '/api/tidemark/v1/metrics':
        return [200, this.hasMetrics ? fakeMetrics(field('contains'), this.metricLimit) : { metrics: [] }];
      case '/api/tidemark/v1/tags':
        return [200, fakeTags(field('metric'))];
      case '/api/tidemark/v1/status':
        return [200, fakeStatus(nowMs, this.trouble)];
      case '/api/v1/query':
        return this.#query(field('query'), Number(field('from')) * 1_000, Number(field('to')) * 1_000, nowMs);
      default:
        return [404, { errors: ['not found'], code: 'not_found', detail: {} }];
    }
  }

  #query(query: string, fromMs: number, toMs: number, nowMs: number): readonly [number, unknown] {
    this.queries.push(query);
    if (this.answerOf !== undefined) return [200, this.answerOf(query, fromMs, toMs)];
    const wrong = query.indexOf(' bye ');
    if (wrong >= 0) {
      const column = wrong + 2;
      const message = `query, column ${column}: found "bye", expected the end; did you mean by?`;
      return [400, { errors: [message], code: 'invalid_argument', detail: { column, suggestion: 'by' } }];
    }
    const answer = fakeAnswer({ query, fromMs, toMs: Math.min(toMs, nowMs), completeThroughMs: nowMs - BEHIND_MS });
    if (!this.hasPartError) return [200, answer];
    const errors = ['points/3: unavailable: connection refused'];
    const { series } = answer as { readonly series: readonly object[] };
    const unknown = series.map((one) => ({ ...one, complete_length: 0 }));
    return [200, { ...(answer as object), series: unknown, status: 'error', complete_through: null, errors }];
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of request.setEncoding('utf8')) text += piece;
  return text;
}
