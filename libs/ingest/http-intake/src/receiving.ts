import { assert, isTidemarkError, TidemarkError } from '@tidemark/ports';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { BodyRoom } from './body-room.ts';

const UNSUPPORTED_MEDIA_TYPE = 415;

/** The requests of a protocol between their first byte and their points: who sends them, and the room of their bodies. */
export class Receiving {
  readonly #room: BodyRoom;
  readonly #bodyBytes: number;
  readonly #held = new WeakMap<FastifyRequest, { readonly tenant: string; readonly release: () => void }>();

  /** `bodyBytes` is what the protocol's bodies may have. */
  constructor(room: BodyRoom, bodyBytes: number) {
    this.#room = room;
    this.#bodyBytes = bodyBytes;
  }

  /** Takes room for the body before it is read; throws when there is none. */
  enter(request: FastifyRequest, reply: FastifyReply, tenant: string): void {
    const release = this.#room.take(tenant, bodySize(request, this.#bodyBytes));
    this.#held.set(request, { tenant, release });
    // For those who hang up, and get no response.
    reply.raw.once('close', release);
  }

  /** Whose request it is; undefined before it was let in. */
  tenant(request: FastifyRequest): string | undefined {
    return this.#held.get(request)?.tenant;
  }

  /** The same, of a request that is handled. */
  tenantOf(request: FastifyRequest): string {
    const tenant = this.tenant(request);
    assert(tenant !== undefined, 'a request is let in before it is handled');
    return tenant;
  }

  /** Lets go of the body: the request lives on until its points are durable. A second time changes nothing. */
  release(request: FastifyRequest): void {
    request.body = undefined;
    this.#held.get(request)?.release();
  }

  /** What ended a request, as an error of ours: what the framework refuses is the sender's doing. */
  errorOf(error: FastifyError): TidemarkError {
    if (isTidemarkError(error)) return error;
    if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
      const message = `bodyBytes: the body is too large (limit: ${this.#bodyBytes} bytes)`;
      const detail = { reason: 'body_too_large', field: 'bodyBytes', limit: this.#bodyBytes };
      return new TidemarkError('invalid_argument', message, detail);
    }
    if (error.statusCode === UNSUPPORTED_MEDIA_TYPE) {
      const detail = { reason: 'content_type', field: 'content-type' };
      return new TidemarkError('invalid_argument', `content-type: ${error.message}`, detail);
    }
    const isSenders = (error.statusCode ?? 500) < 500;
    return new TidemarkError(isSenders ? 'invalid_argument' : 'internal', isSenders ? error.message : 'internal error');
  }
}

/** What the body takes at most: its length where it is said, none where there is no body, else what it may have. */
function bodySize({ headers }: FastifyRequest, limitBytes: number): number {
  const length = headers['content-length'] ?? (headers['transfer-encoding'] === undefined ? '0' : '');
  return /^\d+$/.test(length) ? Math.min(Number(length), limitBytes) : limitBytes;
}
