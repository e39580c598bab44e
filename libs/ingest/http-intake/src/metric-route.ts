import type { RequestIntake } from '@tidemark/intake';
import { INTERVAL_LIMIT_MS, KIND, type MetricChange } from '@tidemark/model';
import { isTidemarkError, limitError } from '@tidemark/ports';
import type { FastifyError, FastifyInstance } from 'fastify';
import { answerError } from './datadog-answers.ts';
import type { TenantOf } from './tenant-of.ts';

export interface MetricRouteOptions {
  readonly intake: Pick<RequestIntake, 'state'>;
  readonly tenantOf: TenantOf;
}

const BODY_BYTES = 64 * 1024;
/** Datadog's names of types; an empty one takes back what was stated. */
const TYPES: Readonly<Record<string, MetricChange['kind']>> = {
  gauge: KIND.gauge,
  counter: KIND.counter,
  count: KIND.count,
  rate: KIND.rate,
  '': null,
};

/**
 * `PUT /api/v1/metrics/{name}` of Datadog's API: states what a user knows of a metric, for all of its history. Of its
 * fields `type`, `unit`, `description` and `statsd_interval` (seconds) are kept; an empty text or 0 takes one back. Type
 * `counter` is Tidemark's own. Answers with the fields that were kept, once they are durable.
 */
export function metricRoute(app: FastifyInstance, { intake, tenantOf }: MetricRouteOptions): void {
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    if (isTidemarkError(error)) return answerError(reply, error);
    return answerError(reply, limitError('body', error.message, 'a JSON object'));
  });
  app.put<{ Params: { name: string }; Body: unknown }>(
    '/api/v1/metrics/:name',
    { bodyLimit: BODY_BYTES },
    async (request) => {
      const tenant = tenantOf(request, 'send', undefined);
      const stated = statedFields(request.body);
      await intake.state(tenant, request.params.name, changeOf(stated));
      return stated;
    },
  );
}

interface StatedFields {
  readonly type?: string;
  readonly unit?: string;
  readonly description?: string;
  readonly statsd_interval?: number;
}

function statedFields(body: unknown): StatedFields {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw limitError('body', Array.isArray(body) ? 'a list' : typeof body, 'a JSON object');
  }
  const given = body as Readonly<Record<string, unknown>>;
  const text = (field: string): string | undefined => {
    const value = given[field] ?? undefined;
    if (value === undefined || typeof value === 'string') return value;
    throw limitError(field, typeof value, 'a string');
  };
  const type = text('type');
  if (type !== undefined && !Object.hasOwn(TYPES, type)) {
    throw limitError('type', type.slice(0, 100), 'gauge, counter, count or rate');
  }
  return { type, unit: text('unit'), description: text('description'), statsd_interval: intervalIn(given) };
}

function intervalIn({ statsd_interval }: Readonly<Record<string, unknown>>): number | undefined {
  if (statsd_interval === undefined || statsd_interval === null) return undefined;
  const limitS = INTERVAL_LIMIT_MS / 1000;
  if (typeof statsd_interval === 'number' && statsd_interval >= 0 && statsd_interval <= limitS) return statsd_interval;
  throw limitError('statsd_interval', String(statsd_interval).slice(0, 100), `0 to ${limitS} seconds`);
}

function changeOf({ type, unit, description, statsd_interval: intervalS }: StatedFields): MetricChange {
  return {
    kind: type === undefined ? undefined : TYPES[type],
    unit: unit === '' ? null : unit,
    description: description === '' ? null : description,
    intervalMs: intervalS === undefined ? undefined : Math.round(intervalS * 1000) || null,
  };
}
