import type { RequestIntake, RequestResult } from '@tidemark/intake';
import { assert, finishInSlices, limitError, type Random, TidemarkError } from '@tidemark/ports';
import { DEFAULT_REMOTE_WRITE_LIMITS, type RemoteWriteLimits, WriteBody, WriteDecoder } from '@tidemark/remote-write';
import { ByTenant, KEY_BYTES, LabelMemory, LabelTable } from '@tidemark/series-memory';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { basicPassword } from './basic-password.ts';
import { bodyParts } from './body-parts.ts';
import type { BodyRoom } from './body-room.ts';
import { Receiving } from './receiving.ts';
import { answerOf, answerOfError, type HttpAnswer } from './request-answers.ts';
import type { TenantOf } from './tenant-of.ts';
import { type Pause, Turns } from './turns.ts';

export interface RemoteWriteRouteOptions {
  readonly intake: Pick<RequestIntake, 'open' | 'receive' | 'countError'>;
  readonly tenantOf: TenantOf;
  readonly room: BodyRoom;
  readonly random: Random;
  /** Resolves after all other waiting work of this thread had its turn. */
  readonly yieldTurn: Pause;
  readonly limits?: Partial<RemoteWriteLimits>;
}

const CONTENT_TYPE = 'application/x-protobuf';
const NO_CONTENT = 204;
/** Bodies that are decoded at once, each of another tenant: each has memory of its own. */
const DECODINGS = 2;

/** Route of Prometheus remote write 1.0: `POST /api/v1/write`. Register it in its own scope (docs/remote-write.md). */
export function remoteWriteRoute(app: FastifyInstance, options: RemoteWriteRouteOptions): void {
  const { intake, random, room, yieldTurn } = options;
  const limits = { ...DEFAULT_REMOTE_WRITE_LIMITS, ...options.limits };
  const labels = new LabelMemory(limits.rememberedBytes, random.bytes(KEY_BYTES));
  const idle = Array.from({ length: DECODINGS }, () => ({
    body: new WriteBody(labels),
    decoder: new WriteDecoder(limits),
  }));
  const turns = new Turns(DECODINGS, 1, yieldTurn);
  const receiving = new Receiving(room, limits.bodyBytes, 'remoteWrite.bodyBytes');
  const tables = new ByTenant(() => new LabelTable(labels));

  app.removeAllContentTypeParsers();
  app.addContentTypeParser(CONTENT_TYPE, bodyParts(limits.bodyBytes));
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const refusal = receiving.errorOf(error);
    intake.countError(receiving.tenant(request), refusal);
    if (refusal.code === 'internal') request.log.error({ error: error.stack }, 'a request failed');
    return send(reply, answerOfError(refusal));
  });
  app.post('/api/v1/write', {
    // The key is checked before the body is read: no caller without a key can fill the memory.
    onRequest: async (request, reply) => {
      const tenant = options.tenantOf(request, 'send', basicPassword(request.headers.authorization));
      receiving.enter(request, reply, tenant);
      checkHeaders(request);
    },
    onResponse: async (request) => receiving.release(request),
    handler: async (request, reply) => {
      const tenant = receiving.tenantOf(request);
      const sending = await intake.receive(tenant, () => turns.run(tenant, (pause) => take(request, tenant, pause)));
      receiving.release(request);
      return send(reply, answerOf(await sending.result, NO_CONTENT));
    },
  });

  /** Decodes a body in slices. When it resolves, the points are read and no longer in the memory of the body. */
  async function take(
    request: FastifyRequest,
    tenant: string,
    pause: Pause,
  ): Promise<{ readonly result: Promise<RequestResult> }> {
    const memory = idle.pop();
    assert(memory !== undefined, 'each place has a memory');
    const { body, decoder } = memory;
    try {
      const one = intake.open(tenant);
      await finishInSlices(body.uncompress(partsOf(request), limits.rawBytes, one.maxPoints), pause);
      const { handles, timesMs, values, length } = await finishInSlices(
        decoder.decode(body, tables.of(tenant, one.scope), one),
        pause,
      );
      one.columns(handles, timesMs, values, length);
      return { result: one.send() };
    } finally {
      body.release();
      idle.push(memory);
    }
  }
}

function checkHeaders({ headers }: FastifyRequest): void {
  const type = headers['content-type'] ?? '';
  const [essence, ...parameters] = type.split(';').map((part) => part.trim().toLowerCase());
  const proto = parameters.find((one) => one.startsWith('proto='));
  if (essence !== CONTENT_TYPE || (proto !== undefined && proto !== 'proto=prometheus.writerequest')) {
    const isVersion2 = proto?.includes('.v2.') === true;
    throw refused('content_type', 'content-type', `${CONTENT_TYPE}, remote write 1.0`, type, isVersion2);
  }
  const encoding = headers['content-encoding'] ?? 'none';
  if (encoding.toLowerCase() !== 'snappy') throw refused('content_encoding', 'content-encoding', 'snappy', encoding);
  const version = headers['x-prometheus-remote-write-version'];
  if (typeof version === 'string' && !/^[01](\.|$)/.test(version.trim())) {
    throw refused('protocol_version', 'x-prometheus-remote-write-version', '0.1.0, remote write 1.0', version, true);
  }
}

function partsOf({ body }: FastifyRequest): readonly Uint8Array[] {
  if (Array.isArray(body)) return body;
  throw refused('content_type', 'content-type', CONTENT_TYPE, 'no body');
}

/** Builds the error of a wrong header, with the setting of Prometheus for a sender of version 2. */
function refused(reason: string, field: string, limit: string, found: string, isVersion2 = false): TidemarkError {
  const error = limitError(field, found.slice(0, 100), limit, reason);
  if (!isVersion2) return error;
  const advice = 'set protobuf_message: prometheus.WriteRequest in remote_write';
  return new TidemarkError('invalid_argument', `${error.message}; ${advice}`, error.detail);
}

/** Sends a text. Prometheus shows its first line. */
function send(reply: FastifyReply, { status, message, retryAfterSeconds }: HttpAnswer): FastifyReply {
  if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds));
  reply.code(status);
  if (message === '') return reply.send();
  return reply.type('text/plain; charset=utf-8').send(`${message}\n`);
}
