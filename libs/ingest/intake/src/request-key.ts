import { fromHex, toHex } from '@tidemark/bytes';
import type { ControlState } from '@tidemark/control-log';
import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';
import { type Clock, TidemarkError } from '@tidemark/ports';

/** By what a request is known when it comes again, as a batch of a client with a stream is by its stamp. */
export interface RequestKey {
  /** 16 random bytes, of one run of the sender. */
  readonly clientSession: Uint8Array;
  /** Dense in the client session, from 0. */
  readonly sequence: number;
  /** The map by which its points are routed, each time. */
  readonly mapEpoch: number;
}

const FIELD = 'idempotency-key';
const FORMAT = '32 hexadecimal digits of a client session . a sequence . a map epoch';
/** A day less than queries look back for maps. */
const HOLDS_MS = PROTOCOL_TIMES.requestKeyMs;

/** Reads `<client session>.<sequence>.<map epoch>`. Throws `invalid_argument` for anything else. */
export function parseRequestKey(text: string): RequestKey {
  const [, session, sequence, mapEpoch] = /^([0-9a-f]{32})\.(\d{1,15})\.(\d{1,15})$/i.exec(text.trim()) ?? [];
  if (session === undefined) throw refusal('idempotency_key_invalid', 'not what a key looks like', FORMAT);
  return { clientSession: fromHex(session), sequence: Number(sequence), mapEpoch: Number(mapEpoch) };
}

/**
 * Throws `invalid_argument` for the map of a key when another one followed it too long ago: queries don't ask the
 * partitions of a map that was over for a week before their range.
 */
export function checkMapIsHeld(state: Pick<ControlState, 'maps' | 'inForceMs'>, epoch: number, nowMs: number): void {
  const later = [...state.maps.keys()].filter((other) => other > epoch);
  const overMs = Math.min(...later.map((other) => state.inForceMs(other)));
  if (nowMs - overMs < HOLDS_MS) return;
  throw refusal('idempotency_key_expired', `map epoch ${epoch} is over`, `${HOLDS_MS} ms after the next one`);
}

/** The client sessions whose keys a tenant's requests have had: how many, and how far each is. */
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

  /** In hex. */
  get sessions(): string[] {
    return [...this.#sessions.keys()];
  }

  /** Below it everything is settled, as the sender keeps to the window. */
  floor({ sequence }: RequestKey): number {
    return Math.max(0, sequence - this.#window + 1);
  }

  /**
   * Takes note of a key. Throws `invalid_argument` for a sequence so far behind that stores may have forgotten it, which
   * would be lost without a word; `resource_exhausted` when there are too many client sessions.
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
      const message = `sequence ${sequence} after ${known.highest} of the same client session`;
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
    const limit = `clientSessions, ${clientSessions} within ${idleMs} ms`;
    const message = `${FIELD}: too many client sessions; a sender has one, and counts sequences (limit: ${limit})`;
    throw new TidemarkError('resource_exhausted', message, { reason: 'idempotency_sessions', field: FIELD, limit });
  }
}

function refusal(reason: string, message: string, limit: string): TidemarkError {
  return new TidemarkError('invalid_argument', `${FIELD}: ${message} (limit: ${limit})`, {
    reason,
    field: FIELD,
    limit,
  });
}
