import { toHex } from '@tidemark/bytes';
import type { ClientHealth } from '@tidemark/contract';
import type { Clock } from '@tidemark/ports';

/** A client as this intake has met it. */
interface KnownClient {
  readonly clientSession: Buffer;
  readonly tenant: string;
  readonly name: string;
  /** Open ones; a client that reconnects may have two for a moment. */
  streams: number;
  frontierMs: number | undefined;
  batches: number;
  firstBatchMs: number;
  lastBatchMs: number;
  lostMs: number | undefined;
}

/** What a stream tells of its client. */
export interface RegisteredStream {
  /** A batch came, with its promise that nothing older will come. */
  batch(frontierMs: number | undefined): void;
  /** The stream is over. Idempotent. */
  end(): void;
}

/** Clients that are remembered at most; those lost longest ago make room. */
const CLIENTS = 10_000;
/** A client that has not come back for this long is forgotten. */
const FORGET_MS = 3_600_000;

/** Who is connected and how far each has come, and who was lost lately: for operators. It outlives sessions. */
export class ClientRegister {
  readonly #clock: Clock;
  readonly #limit: number;
  /** Lost ones in the order in which they were lost. */
  readonly #clients = new Map<string, KnownClient>();

  constructor(clock: Clock, limit = CLIENTS) {
    this.#clock = clock;
    this.#limit = limit;
  }

  /** A stream has said whose it is. */
  connected(tenant: string, clientSession: Uint8Array, name: string): RegisteredStream {
    const key = `${toHex(clientSession)} ${tenant}`;
    const client = this.#clients.get(key) ?? this.#add(key, tenant, clientSession, name);
    client.streams++;
    client.lostMs = undefined;
    let isOver = false;
    return {
      batch: (frontierMs) => {
        const nowMs = this.#clock.wallMs();
        client.batches++;
        if (client.batches === 1) client.firstBatchMs = nowMs;
        client.lastBatchMs = nowMs;
        if (frontierMs !== undefined) client.frontierMs = Math.max(client.frontierMs ?? frontierMs, frontierMs);
      },
      end: () => {
        if (isOver) return;
        isOver = true;
        client.streams--;
        if (client.streams > 0) return;
        client.lostMs = this.#clock.wallMs();
        // Moves to the end: what is lost longest comes first.
        if (this.#clients.delete(key)) this.#clients.set(key, client);
      },
    };
  }

  /** Of all tenants: for operators alone. */
  list(): ClientHealth[] {
    this.#forget();
    return [...this.#clients.values()].map(({ streams: _, ...client }) => {
      const { frontierMs, firstBatchMs, lastBatchMs, lostMs } = client;
      return {
        ...client,
        frontierMs: frontierMs === undefined ? undefined : Math.floor(frontierMs),
        firstBatchMs: Math.floor(firstBatchMs),
        lastBatchMs: Math.floor(lastBatchMs),
        lostMs: lostMs === undefined ? undefined : Math.floor(lostMs),
      };
    });
  }

  #add(key: string, tenant: string, clientSession: Uint8Array, name: string): KnownClient {
    const client: KnownClient = {
      ...{ clientSession: Buffer.from(clientSession), tenant, name, streams: 0 },
      ...{ frontierMs: undefined, batches: 0, firstBatchMs: 0, lastBatchMs: 0, lostMs: undefined },
    };
    if (this.#clients.size >= this.#limit) this.#forget();
    if (this.#clients.size >= this.#limit) {
      const oldest = [...this.#clients].find(([, { lostMs }]) => lostMs !== undefined);
      // With every place taken by one that is connected, the newcomer is served and not shown.
      if (oldest === undefined) return client;
      this.#clients.delete(oldest[0]);
    }
    this.#clients.set(key, client);
    return client;
  }

  #forget(): void {
    const beforeMs = this.#clock.wallMs() - FORGET_MS;
    for (const [key, { lostMs }] of this.#clients) {
      if (lostMs !== undefined && lostMs < beforeMs) this.#clients.delete(key);
    }
  }
}
