import { ApiError, errorOfReply } from './api-error.ts';
import type { MetricList, PipelineStatus, QueryAnswer, TagKey } from './api-types.ts';
import { bodyOf as bodyOfMeaning, type MeaningFields, type MetricMeaning } from './metric-meaning.ts';
import { readMeaning, readMetrics, readQueryAnswer, readTagKeys } from './read-answers.ts';
import { readStatus } from './read-status.ts';

export interface ApiClientOptions {
  /** URL of the API without a slash at the end; empty for the server that the page came from. */
  readonly baseUrl: string;
  readonly fetch: typeof fetch;
  /** Returns a key with scope `read`; empty when the server needs no key. */
  readonly key: () => string;
  /** Time limit of a request, ms. Default 15,000. */
  readonly timeoutMs?: number;
}

/** The HTTP API, typed. Every method rejects with ApiError, or with the signal's AbortError. */
export class ApiClient {
  readonly #options: ApiClientOptions;

  constructor(options: ApiClientOptions) {
    this.#options = options;
  }

  async query(query: string, fromMs: number, toMs: number, signal?: AbortSignal): Promise<QueryAnswer> {
    const fields = { query, from: String(fromMs / 1_000), to: String(toMs / 1_000) };
    return readQueryAnswer(await this.#get('/api/v1/query', fields, signal));
  }

  async metrics(contains: string, signal?: AbortSignal): Promise<MetricList> {
    return readMetrics(await this.#get('/api/tidemark/v1/metrics', { contains }, signal));
  }

  async tags(metric: string, signal?: AbortSignal): Promise<readonly TagKey[]> {
    return readTagKeys(await this.#get('/api/tidemark/v1/tags', { metric }, signal));
  }

  async status(signal?: AbortSignal): Promise<PipelineStatus> {
    return readStatus(await this.#get('/api/tidemark/v1/status', {}, signal));
  }

  /** What is known of a metric; `refused` when there is none of this name. */
  async meaning(metric: string, signal?: AbortSignal): Promise<MetricMeaning> {
    return readMeaning(await this.#get(pathOfMetric(metric), {}, signal));
  }

  /** States as a user what a metric means, and resolves when it is durable; needs a key that permits `send`. */
  async stateMeaning(metric: string, change: Partial<MeaningFields>): Promise<void> {
    await this.#ask(pathOfMetric(metric), { method: 'PUT', body: JSON.stringify(bodyOfMeaning(change)) });
  }

  #get(path: string, fields: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<unknown> {
    return this.#ask(`${path}?${new URLSearchParams(fields)}`, {}, signal);
  }

  async #ask(path: string, init: { method?: string; body?: string }, signal?: AbortSignal): Promise<unknown> {
    const { baseUrl, key, timeoutMs = 15_000 } = this.#options;
    const timeout = AbortSignal.timeout(timeoutMs);
    const headers: Record<string, string> = { accept: 'application/json' };
    if (init.body !== undefined) headers['content-type'] = 'application/json';
    if (key() !== '') headers.authorization = `Bearer ${key()}`;
    let reply: Response;
    try {
      reply = await this.#options.fetch(baseUrl + path, {
        ...init,
        headers,
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ApiError(
        'away',
        timeout.aborted ? `no answer within ${timeoutMs / 1_000} s` : 'the server is unreachable',
      );
    }
    const json = await bodyOf(reply);
    if (!reply.ok) throw errorOfReply(reply.status, json);
    if (json === undefined) throw new ApiError('away', 'the answer is not JSON; check the address');
    return json;
  }
}

function pathOfMetric(metric: string): string {
  return `/api/v1/metrics/${encodeURIComponent(metric)}`;
}

/** Parses the body; undefined when there is none or it is not JSON. */
async function bodyOf(reply: Response): Promise<unknown> {
  try {
    return await reply.json();
  } catch {
    return undefined;
  }
}
