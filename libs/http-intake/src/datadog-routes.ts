import { type DatadogLimits, DEFAULT_DATADOG_LIMITS, openPayload } from '@tidemark/datadog-intake';
import type { IntakeRequest, RequestIntake, RequestResult } from '@tidemark/intake';
import { isTidemarkError, TidemarkError } from '@tidemark/ports';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { BodyRoom } from './body-room.ts';
import { datadogErrors, sendAgain, statusOf } from './datadog-errors.ts';
import { refusedRoutes } from './datadog-refused-routes.ts';
import type { TenantOf } from './http-intake.ts';

export interface DatadogRoutesOptions {
  readonly intake: Pick<RequestIntake, 'open'>;
  readonly tenantOf: TenantOf;
  readonly room: BodyRoom;
  readonly limits?: Partial<DatadogLimits>;
}

/**
 * What agents and API clients of Datadog's send metrics to: `POST /api/v2/series` and `GET /api/v1/validate`. Register in
 * a scope of its own: it takes any content type. docs/datadog.md
 */
export function datadogRoutes(app: FastifyInstance, options: DatadogRoutesOptions): void {
  const { intake, room } = options;
  const limits = { ...DEFAULT_DATADOG_LIMITS, ...options.limits };
  const received = new WeakMap<FastifyRequest, { readonly tenant: string; readonly release: () => void }>();

  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: limits.bodyBytes }, (_request, body, done) => {
    done(null, body);
  });
  datadogErrors(app, limits);
  refusedRoutes(app);

  app.get('/api/v1/validate', async (request) => {
    validate(request);
    return { valid: true };
  });

  app.post('/api/v2/series', {
    bodyLimit: limits.bodyBytes,
    // Before the body is read: nobody fills the memory without a key.
    onRequest: async (request, reply) => {
      const tenant = options.tenantOf(request, 'send', keyInQuery(request));
      refuseIdempotencyKey(request);
      const release = room.take(tenant, sizeOf(request, limits.bodyBytes));
      received.set(request, { tenant, release });
      // For those who hang up, and get no response.
      reply.raw.once('close', release);
    },
    onResponse: async (request) => received.get(request)?.release(),
    handler: async (request, reply) => {
      const { tenant, release } = received.get(request) ?? unreceived();
      const points = await room
        .decode(() => readPoints(request, tenant))
        .finally(() => {
          // The request lives on until its points are durable; its body need not.
          request.body = undefined;
          release();
        });
      return answer(reply, await points.send());
    },
  });

  async function readPoints(request: FastifyRequest, tenant: string): Promise<IntakeRequest> {
    const { headers, body } = request;
    const contentEncoding = headers['content-encoding'];
    const payload = { body: bytesOf(body), contentType: headers['content-type'], contentEncoding };
    const read = await openPayload(payload, limits);
    const points = intake.open(tenant);
    read(points);
    return points;
  }

  /** A key for anything is a valid one: agents may send, clients that draw graphs may read. */
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

/** 202 with what was left out, which no client takes for a failure; 400 when nothing is left. */
function answer(reply: FastifyReply, result: RequestResult): FastifyReply {
  const { outcome, rejections } = result;
  if (outcome === 'retry') {
    const cause = rejections.at(-1);
    const code = cause?.reason === 'tenant_pending' ? 'resource_exhausted' : 'unavailable';
    return sendAgain(reply, code, cause?.message ?? 'not stored', result.retryAfterMs);
  }
  const errors = rejections.map(
    ({ points, message }) => `${points} ${points === 1 ? 'point' : 'points'} left out, ${message}`,
  );
  return reply.code(outcome === 'acked' ? 202 : statusOf(rejections.at(-1)?.reason)).send({ errors });
}

/** Old clients have their key there. It is in no log: those have routes, not addresses. */
function keyInQuery({ query }: FastifyRequest): string | undefined {
  const isObject = typeof query === 'object' && query !== null;
  return isObject && 'api_key' in query && typeof query.api_key === 'string' ? query.api_key : undefined;
}

/** A sender that relies on it would count twice what it sends twice. */
function refuseIdempotencyKey({ headers }: FastifyRequest): void {
  if (headers['idempotency-key'] === undefined) return;
  throw new TidemarkError('invalid_argument', 'Idempotency-Key: is not taken here; requests are taken at least once', {
    reason: 'idempotency_key_unsupported',
    field: 'idempotency-key',
  });
}

/** What the body takes at most: its length where it is said, none where there is no body, else what it may have. */
function sizeOf({ headers }: FastifyRequest, limitBytes: number): number {
  const length = headers['content-length'] ?? (headers['transfer-encoding'] === undefined ? '0' : '');
  return /^\d+$/.test(length) ? Math.min(Number(length), limitBytes) : limitBytes;
}

function bytesOf(body: unknown): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}

function unreceived(): never {
  throw new TidemarkError('internal', 'a request has skipped its check');
}
