import {
  type DatadogLimits,
  DEFAULT_DATADOG_LIMITS,
  KnownSeries,
  openPayload,
  type PayloadForm,
} from '@tidemark/datadog-payload';
import { type IntakeRequest, parseRequestKey, type RequestIntake, type RequestKey } from '@tidemark/intake';
import { type Clock, finishInSlices, isTidemarkError, type Random } from '@tidemark/ports';
import { ByTenant, KEY_BYTES, LabelMemory } from '@tidemark/series-memory';
import type { FastifyError, FastifyInstance, FastifyRequest } from 'fastify';
import type { BodyRoom } from './body-room.ts';
import { answer, answerError } from './datadog-answers.ts';
import { Receiving } from './receiving.ts';
import type { TenantOf } from './tenant-of.ts';
import type { Pause } from './turns.ts';

export interface DatadogRoutesOptions {
  readonly intake: Pick<RequestIntake, 'open' | 'openKeyed' | 'receive' | 'mapEpoch' | 'countError'>;
  readonly tenantOf: TenantOf;
  /** Returns true when any key is accepted from the caller. Default: never. */
  readonly acceptsAnyKey?: (request: FastifyRequest) => boolean;
  readonly room: BodyRoom;
  readonly random: Random;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly limits?: Partial<DatadogLimits>;
}

const ANY_KEY = 'no key exists yet: any key is accepted on loopback';

/** What is sent to each path. */
const FORMS: Readonly<Record<string, PayloadForm>> = {
  '/api/v1/series': 'seriesV1',
  '/api/v2/series': 'seriesV2',
  '/api/v1/distribution_points': 'distributions',
  '/api/beta/sketches': 'sketches',
  '/api/v1/check_run': 'checks',
};

/**
 * Routes to which Datadog's agents and API clients send metrics and service checks, and `GET /api/v1/validate`. Register
 * them in their own scope, since they accept any content type (docs/datadog.md).
 */
export function datadogRoutes(app: FastifyInstance, options: DatadogRoutesOptions): void {
  const { intake, room, random, clock } = options;
  const limits = { ...DEFAULT_DATADOG_LIMITS, ...options.limits };
  const receiving = new Receiving(room, limits.bodyBytes, 'datadog.bodyBytes');
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
  app.addHook('onSend', async (_request, reply) => {
    const { mapEpoch } = intake;
    if (mapEpoch !== undefined) reply.header('tidemark-map-epoch', mapEpoch);
  });

  app.get('/api/v1/validate', async (request) => {
    validate(request);
    return options.acceptsAnyKey?.(request) ? { valid: true, notes: [ANY_KEY] } : { valid: true };
  });

  for (const [url, form] of Object.entries(FORMS)) {
    app.post(url, {
      bodyLimit: limits.bodyBytes,
      // The key is checked before the body is read: no caller without a key can fill the memory.
      onRequest: async (request, reply) => {
        receiving.enter(request, reply, options.tenantOf(request, 'send', keyInQuery(request)));
        keyOf(request);
      },
      onResponse: async (request) => receiving.release(request),
      handler: async (request, reply) => {
        const tenant = receiving.tenantOf(request);
        const sending = await intake.receive(tenant, async () => {
          const points = await room
            .decode(tenant, (pause) => readPoints(request, form, pause))
            .finally(() => receiving.release(request));
          return { result: points.send() };
        });
        return answer(reply, await sending.result, form);
      },
    });
  }

  async function readPoints(request: FastifyRequest, form: PayloadForm, pause: Pause): Promise<IntakeRequest> {
    const { headers, body } = request;
    const contentEncoding = headers['content-encoding'];
    const contentType = headers['content-type'];
    const payload = { form, body: bytesOf(body), contentType, contentEncoding, receivedMs: clock.wallMs() };
    const read = await openPayload(payload, limits);
    const tenant = receiving.tenantOf(request);
    const key = keyOf(request);
    const points = key === undefined ? intake.open(tenant) : await intake.openKeyed(tenant, key);
    await finishInSlices(read(points, known.of(tenant, points.scope)), async () => {
      await pause();
      // Another request of the tenant may have had its turn, and the handles that it remembers may be of another scope.
      known.of(tenant, points.scope);
    });
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
