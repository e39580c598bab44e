import { fromHex, toHex } from '@tidemark/bytes';
import type { ControlState } from '@tidemark/control-log';
import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';
import { type Clock, limitError, TidemarkError } from '@tidemark/ports';

/** Identity of a request across retries, like the stamp of a batch of a client with a stream. */
export interface RequestKey {
  /** 16 random bytes, of one run of the sender. */
  readonly clientSession: Uint8Array;
  /** Number within the client session, dense, from 0. */
  readonly sequence: number;
  /** Epoch of the map that routes the request's points, at each retry. */
  readonly mapEpoch: number;
}

const FIELD = 'idempotency-key';
const FORMAT = '<client session, 32 hexadecimal digits>.<sequence>.<map epoch>';
/** Time for which the map of a key is valid after the next one. It is a day less than queries search maps back. */
const HOLDS_MS = PROTOCOL_TIMES.requestKeyMs;

/** Parses `<client session>.<sequence>.<map epoch>`. Throws `invalid_argument` for any other form. */
export function parseRequestKey(text: string): RequestKey {
  const [, session, sequence, mapEpoch] = /^([0-9a-f]{32})\.(\d{1,15})\.(\d{1,15})$/i.exec(text.trim()) ?? [];
  if (session === undefined) throw refusal('idempotency_key_invalid', 'malformed key', FORMAT);
  return { clientSession: fromHex(session), sequence: Number(sequence), mapEpoch: Number(mapEpoch) };
}

/**
 * Throws `invalid_argument` for the map of a key when another map followed it too long ago: queries do not read the
 * partitions of a map that ended a week before their range.
 */
export function checkMapIsHeld(state: Pick<ControlState, 'maps' | 'inForceMs'>, epoch: number, nowMs: number): void {
  const later = [...state.maps.keys()].filter((other) => other > epoch);
  const overMs = Math.min(...later.map((other) => state.inForceMs(other)));
  if (nowMs - overMs < HOLDS_MS) return;
  throw refusal('idempotency_key_expired', `map epoch ${epoch} has expired`, `${HOLDS_MS} ms after the next map`);
}

/** Client sessions in the keys of a tenant's requests: their number, and the highest sequence of each. */
export class KeyedSessions {
  readonly #clock: Clock;
  readonly #limits: { readonly clientSessions: number; readonly idleMs: number };
  readonly #window: number;
  readonly #sessions = new Map<string, { highest: number; usedMs: number }>();

  constructor(clock: Clock, limits: { readonly clientSessions: number; readonly idleMs: number }, window: number) {
    this.#clock = clock;
    this.#limits = limits;
    this.#window = window;
  }

  /** The client sessions, in hex. */
  get sessions(): string[] {
    return [...this.#sessions.keys()];
  }

  /** Returns the sequence below which all are settled, since the sender stays within the window. */
  floor({ sequence }: RequestKey): number {
    return Math.max(0, sequence - this.#window + 1);
  }

  /**
   * Records a key. Throws `invalid_argument` for a sequence so far behind that stores may have dropped its state: its
   * points would be lost silently. Throws `resource_exhausted` when there are too many client sessions.
   */
  admit({ clientSession, sequence }: RequestKey): void {
    const key = toHex(clientSession);
    const usedMs = this.#clock.monotonicMs();
    const known = this.#sessions.get(key);
    if (known === undefined) {
      this.#makeRoom(usedMs);
      this.#sessions.set(key, { highest: sequence, usedMs });
      return;
    }
    if (sequence <= known.highest - this.#window) {
      const message = `sequence ${sequence} is too far behind ${known.highest} of the same client session`;
      throw refusal('idempotency_key_old', message, `${this.#window} sequences in use at once`);
    }
    known.highest = Math.max(known.highest, sequence);
    known.usedMs = usedMs;
  }

  #makeRoom(nowMs: number): void {
    const { clientSessions, idleMs } = this.#limits;
    if (this.#sessions.size < clientSessions) return;
    for (const [key, { usedMs }] of this.#sessions) if (nowMs - usedMs >= idleMs) this.#sessions.delete(key);
    if (this.#sessions.size < clientSessions) return;
    const limit = `requests.clientSessions, ${clientSessions} within ${idleMs} ms`;
    const message = `${FIELD}: too many client sessions (limit: ${limit}); use one client session per sender, and a new sequence per request`;
    throw new TidemarkError('resource_exhausted', message, { reason: 'idempotency_sessions', field: FIELD, limit });
  }
}

function refusal(reason: string, message: string, limit: string): TidemarkError {
  return limitError(FIELD, message, limit, reason);
}
