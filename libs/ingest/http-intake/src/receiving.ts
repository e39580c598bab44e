import { assert, isTidemarkError, TidemarkError } from '@tidemark/ports';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { BodyRoom } from './body-room.ts';

const UNSUPPORTED_MEDIA_TYPE = 415;

/** Requests of a protocol from their first byte to their points: the sender, and the room of the body. */
export class Receiving {
  readonly #room: BodyRoom;
  readonly #bodyBytes: number;
  readonly #setting: string;
  readonly #held = new WeakMap<FastifyRequest, { readonly tenant: string; readonly release: () => void }>();

  /** `bodyBytes` is the max size of the protocol's bodies, and `setting` its name. */
  constructor(room: BodyRoom, bodyBytes: number, setting: string) {
    this.#setting = setting;
    this.#room = room;
    this.#bodyBytes = bodyBytes;
  }

  /** Reserves room for the body before it is read. Throws when there is none. */
  enter(request: FastifyRequest, reply: FastifyReply, tenant: string): void {
    const release = this.#room.reserve(tenant, bodySize(request, this.#bodyBytes));
    this.#held.set(request, { tenant, release });
    // A sender that closes the connection gets no response, and must also release the room.
    reply.raw.once('close', release);
  }

  /** Returns the tenant of a request; undefined before the request was admitted. */
  tenant(request: FastifyRequest): string | undefined {
    return this.#held.get(request)?.tenant;
  }

  /** Returns the tenant of an admitted request. */
  tenantOf(request: FastifyRequest): string {
    const tenant = this.tenant(request);
    assert(tenant !== undefined, 'a request is admitted before it is handled');
    return tenant;
  }

  /**
   * Releases the room of the body. The request itself lives until its points are durable. A second call has no effect.
   */
  release(request: FastifyRequest): void {
    request.body = undefined;
    this.#held.get(request)?.release();
  }

  /** Converts the error that ended a request. Errors of the framework are caused by the sender. */
  errorOf(error: FastifyError): TidemarkError {
    if (isTidemarkError(error)) return error;
    if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
      const message = `bodyBytes: the body is too large (limit: ${this.#setting}, ${this.#bodyBytes})`;
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

/** Returns the max bytes of the body: its declared length, 0 without a body, otherwise the limit. */
function bodySize({ headers }: FastifyRequest, limitBytes: number): number {
  const length = headers['content-length'] ?? (headers['transfer-encoding'] === undefined ? '0' : '');
  return /^\d+$/.test(length) ? Math.min(Number(length), limitBytes) : limitBytes;
}
