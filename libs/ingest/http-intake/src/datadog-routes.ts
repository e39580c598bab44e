import { type DatadogLimits, DEFAULT_DATADOG_LIMITS, KnownSeries, openPayload } from '@tidemark/datadog-payload';
import { type IntakeRequest, parseRequestKey, type RequestIntake, type RequestKey } from '@tidemark/intake';
import { isTidemarkError, type Random } from '@tidemark/ports';
import { ByTenant, KEY_BYTES, LabelMemory } from '@tidemark/series-memory';
import type { FastifyError, FastifyInstance, FastifyRequest } from 'fastify';
import type { BodyRoom } from './body-room.ts';
import { answer, answerError } from './datadog-answers.ts';
import { refusedRoutes } from './datadog-refused-routes.ts';
import { Receiving } from './receiving.ts';
import type { TenantOf } from './tenant-of.ts';

export interface DatadogRoutesOptions {
  readonly intake: Pick<RequestIntake, 'open' | 'openKeyed' | 'mapEpoch' | 'countError'>;
  readonly tenantOf: TenantOf;
  /** Returns true when any key is accepted from the caller. Default: never. */
  readonly acceptsAnyKey?: (request: FastifyRequest) => boolean;
  readonly room: BodyRoom;
  readonly random: Random;
  readonly limits?: Partial<DatadogLimits>;
}

const ANY_KEY = 'no key exists yet: any key is accepted on loopback';

/**
 * Routes to which Datadog's agents and API clients send metrics: `POST /api/v2/series` and `GET /api/v1/validate`.
 * Register them in their own scope, since they accept any content type (docs/datadog.md).
 */
export function datadogRoutes(app: FastifyInstance, options: DatadogRoutesOptions): void {
  const { intake, room, random } = options;
  const limits = { ...DEFAULT_DATADOG_LIMITS, ...options.limits };
  const receiving = new Receiving(room, limits.bodyBytes);
  const memory = new LabelMemory(limits.rememberedBytes, random.bytes(KEY_BYTES));
  const known = new ByTenant(() => new KnownSeries(memory, limits.rememberedBytes));

  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: limits.bodyBytes }, (_request, body, done) => {
    done(null, body);
  });
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const refusal = receiving.errorOf(error);
    intake.countError(receiving.tenant(request), refusal);
    if (refusal.code === 'internal') request.log.error({ error: error.stack }, 'a request failed');
    return answerError(reply, refusal);
  });
  refusedRoutes(app);
  app.addHook('onSend', async (_request, reply) => {
    const { mapEpoch } = intake;
    if (mapEpoch !== undefined) reply.header('tidemark-map-epoch', mapEpoch);
  });

  app.get('/api/v1/validate', async (request) => {
    validate(request);
    return options.acceptsAnyKey?.(request) ? { valid: true, notes: [ANY_KEY] } : { valid: true };
  });

  app.post('/api/v2/series', {
    bodyLimit: limits.bodyBytes,
    // The key is checked before the body is read: no caller without a key can fill the memory.
    onRequest: async (request, reply) => {
      receiving.enter(request, reply, options.tenantOf(request, 'send', keyInQuery(request)));
      keyOf(request);
    },
    onResponse: async (request) => receiving.release(request),
    handler: async (request, reply) => {
      const points = await room.decode(() => readPoints(request)).finally(() => receiving.release(request));
      return answer(reply, await points.send());
    },
  });

  async function readPoints(request: FastifyRequest): Promise<IntakeRequest> {
    const { headers, body } = request;
    const contentEncoding = headers['content-encoding'];
    const payload = { body: bytesOf(body), contentType: headers['content-type'], contentEncoding };
    const read = await openPayload(payload, limits);
    const tenant = receiving.tenantOf(request);
    const key = keyOf(request);
    const points = key === undefined ? intake.open(tenant) : await intake.openKeyed(tenant, key);
    read(points, known.of(tenant, points.scope));
    return points;
  }

  /** Checks a key. Every scope is valid: agents may send, and clients that draw graphs may read. */
  function validate(request: FastifyRequest): void {
    const key = keyInQuery(request);
    try {
      options.tenantOf(request, 'send', key);
    } catch (error) {
      if (!isTidemarkError(error, 'permission_denied')) throw error;
      options.tenantOf(request, 'read', key);
    }
  }
}

/** Returns the key in the query, where old clients have it. It is not logged: logs have routes, not addresses. */
function keyInQuery({ query }: FastifyRequest): string | undefined {
  const isObject = typeof query === 'object' && query !== null;
  return isObject && 'api_key' in query && typeof query.api_key === 'string' ? query.api_key : undefined;
}

/** Returns the key by which a retry of the request is recognized; undefined when the sender gives none. */
function keyOf({ headers }: FastifyRequest): RequestKey | undefined {
  const key = headers['idempotency-key'];
  return key === undefined ? undefined : parseRequestKey(String(key));
}

function bytesOf(body: unknown): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}
