import { ownCopy, toHex } from '@tidemark/bytes';
import type { ClientHealth, ClientSource, LocalRefusal, LocalSource, RefusedData } from '@tidemark/contract';
import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';
import type { Clock } from '@tidemark/ports';
import { cutExample } from './refused-data.ts';

/** A client that this intake has served. */
interface KnownClient {
  readonly clientSession: Buffer;
  readonly tenant: string;
  readonly name: string;
  /** Flush interval of the program's last hello, ms. */
  flushIntervalMs: number | undefined;
  /** Number of open streams. A client that reconnects may have two for a moment. */
  streams: number;
  frontierMs: number | undefined;
  batches: number;
  firstBatchMs: number;
  lastBatchMs: number;
  lostMs: number | undefined;
  /** What the client refused or dropped itself, as it reported last; without examples while it is lost. */
  refusals: readonly KnownRefusal[];
  /** What the client reads from or listens on, as it reported last. */
  sources: readonly LocalSource[];
  /** Sequences whose refused points are counted, and that the client may still send again. */
  refusedBatches: Set<number>;
}

/** What a client refused for one reason, and when this intake learned of the last. */
interface KnownRefusal extends LocalRefusal {
  readonly lastMs: number;
}

/** Reports of a stream about its client. */
export interface RegisteredStream {
  /** Reports a batch, with its lower bound of all later timestamps. */
  batch(frontierMs: number | undefined): void;
  /**
   * Returns true at the first time that a batch has refused points, which then count: its answer may be lost, and the batch
   * sent again. `floor` is the client's: all below is settled.
   */
  isFirstRefusal(sequence: number, floor: number): boolean;
  /** Reports what the client refused or dropped itself, since its start. */
  refused(refusals: readonly LocalRefusal[]): void;
  /** Reports what the client reads from or listens on. */
  reads(sources: readonly LocalSource[]): void;
  /** Ends the stream. Idempotent. */
  end(): void;
}

/** Max number of clients in the register. The ones lost longest ago are removed first. */
const CLIENTS = 10_000;
/** Bounds of what a client reports: it must not fill the memory. */
const REFUSALS = 64;
const REASON_CHARACTERS = 64;
const SOURCES = 256;
/** Max sequences of a client that are remembered: an honest one has no more in flight. */
const REFUSED_BATCHES = 1024;
/** Max sequences of all lost clients that are remembered. Those of the clients lost longest ago are dropped first. */
const LOST_REFUSED_BATCHES = 65_536;
const SOURCE_NAME_CHARACTERS = 200;
/** Time for which a lost client is listed. */
const LISTED_MS = 3_600_000;
/** Time after which a lost client is removed: stores keep its state, and show it by its name, as long. */
const FORGET_MS = PROTOCOL_TIMES.retentionMs;

/** Connected clients with their progress, and lost ones, for operators. It outlives sessions. */
export class ClientRegister {
  readonly #clock: Clock;
  readonly #limit: number;
  /** Clients by key. Lost ones are in the order in which they were lost. */
  readonly #clients = new Map<string, KnownClient>();
  /** Sequences in `refusedBatches` of all lost clients. */
  #lostRefusedBatches = 0;

  constructor(clock: Clock, limit = CLIENTS) {
    this.#clock = clock;
    this.#limit = limit;
  }

  /** Registers the client of a stream, with the flush interval of its program if that is known. */
  connected(tenant: string, clientSession: Uint8Array, name: string, flushIntervalMs?: number): RegisteredStream {
    const key = `${toHex(clientSession)} ${tenant}`;
    const client = this.#clients.get(key) ?? this.#add(key, tenant, clientSession, name);
    if (client.lostMs !== undefined) this.#lostRefusedBatches -= client.refusedBatches.size;
    client.flushIntervalMs = flushIntervalMs;
    client.streams++;
    client.lostMs = undefined;
    let hasEnded = false;
    return {
      batch: (frontierMs) => {
        const nowMs = this.#clock.wallMs();
        client.batches++;
        if (client.batches === 1) client.firstBatchMs = nowMs;
        client.lastBatchMs = nowMs;
        if (frontierMs !== undefined) client.frontierMs = Math.max(client.frontierMs ?? frontierMs, frontierMs);
      },
      isFirstRefusal: (sequence, floor) => {
        const { refusedBatches } = client;
        // What is remembered of a lost client is counted, and does not change.
        if (client.lostMs !== undefined) return !refusedBatches.has(sequence);
        for (const settled of refusedBatches) if (settled < floor) refusedBatches.delete(settled);
        if (refusedBatches.has(sequence)) return false;
        if (refusedBatches.size < REFUSED_BATCHES) refusedBatches.add(sequence);
        return true;
      },
      refused: (refusals) => {
        const before = client.refusals;
        const nowMs = Math.floor(this.#clock.wallMs());
        client.refusals = refusals.slice(0, REFUSALS).map((one) => {
          const reason = one.reason.slice(0, REASON_CHARACTERS);
          const known = before.find((other) => other.reason === reason);
          const lastMs = known !== undefined && known.count === one.count ? known.lastMs : nowMs;
          return { reason, count: one.count, example: cutExample(one.example), lastMs };
        });
      },
      reads: (sources) => {
        // Of more than the bound, those that do not work are kept first.
        const failing = sources.filter(({ problem }) => problem !== '');
        const kept = [...failing, ...sources.filter(({ problem }) => problem === '')].slice(0, SOURCES);
        client.sources = kept.map(({ name, problem, sinceMs }) => {
          return { name: name.slice(0, SOURCE_NAME_CHARACTERS), problem: cutExample(problem), sinceMs };
        });
      },
      end: () => {
        if (hasEnded) return;
        hasEnded = true;
        client.streams--;
        if (client.streams > 0) return;
        client.lostMs = this.#clock.wallMs();
        // The client reports the same counts again on its next stream: what is older than that keeps its time.
        client.refusals = client.refusals.map((one) => ({ ...one, example: '' }));
        client.sources = [];
        // Moves the client to the end, so that the one lost longest ago comes first.
        if (!this.#clients.delete(key)) return;
        this.#clients.set(key, client);
        this.#lostRefusedBatches += client.refusedBatches.size;
        this.#boundRefusedBatches();
      },
    };
  }

  /** Returns what the connected clients of a tenant refused themselves. */
  refusedOf(tenant: string): RefusedData[] {
    return [...this.#clients.values()]
      .filter((client) => client.tenant === tenant && client.streams > 0)
      .flatMap(({ name, refusals }) => refusals.map((one) => ({ stage: 'client', client: name, sinceMs: 0, ...one })));
  }

  /** Returns what the connected clients of a tenant read from or listen on. */
  sourcesOf(tenant: string): ClientSource[] {
    return [...this.#clients.values()]
      .filter((client) => client.tenant === tenant)
      .flatMap(({ name: client, sources }) => sources.map((one) => ({ client, ...one })));
  }

  /** Returns the names of the lost clients of a tenant, by client session in hex. */
  formerNamesOf(tenant: string): Record<string, string> {
    this.#forget();
    const lost = [...this.#clients.values()].filter((client) => client.tenant === tenant && client.streams === 0);
    return Object.fromEntries(lost.map(({ clientSession, name }) => [toHex(clientSession), name]));
  }

  /** Lists the clients of all tenants, connected or lost within the hour, for operators only. */
  list(): ClientHealth[] {
    const fromMs = this.#clock.wallMs() - LISTED_MS;
    const listed = [...this.#clients.values()].filter(({ lostMs }) => lostMs === undefined || lostMs >= fromMs);
    return listed.map(({ streams: _, refusals: __, sources: ___, refusedBatches: ____, ...client }) => {
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
      ...{ clientSession: ownCopy(clientSession), tenant, name, flushIntervalMs: undefined, streams: 0 },
      ...{ frontierMs: undefined, batches: 0, firstBatchMs: 0, lastBatchMs: 0, lostMs: undefined },
      ...{ refusals: [], sources: [], refusedBatches: new Set<number>() },
    };
    if (this.#clients.size >= this.#limit) this.#forget();
    if (this.#clients.size >= this.#limit) {
      const oldest = this.#lostLongestAgo();
      // When all entries are of connected clients, the new one is served but not listed.
      if (oldest === undefined) return client;
      this.#remove(oldest);
    }
    this.#clients.set(key, client);
    return client;
  }

  /** The key of the client that was lost longest ago. */
  #lostLongestAgo(): string | undefined {
    for (const [key, { lostMs }] of this.#clients) if (lostMs !== undefined) return key;
    return undefined;
  }

  #forget(): void {
    const beforeMs = this.#clock.wallMs() - FORGET_MS;
    for (const [key, { lostMs }] of this.#clients) {
      if (lostMs !== undefined && lostMs < beforeMs) this.#remove(key);
    }
  }

  /** Removes a lost client. */
  #remove(key: string): void {
    this.#lostRefusedBatches -= this.#clients.get(key)?.refusedBatches.size ?? 0;
    this.#clients.delete(key);
  }

  #boundRefusedBatches(): void {
    for (const client of this.#clients.values()) {
      if (this.#lostRefusedBatches <= LOST_REFUSED_BATCHES) return;
      if (client.lostMs === undefined) continue;
      this.#lostRefusedBatches -= client.refusedBatches.size;
      client.refusedBatches = new Set();
    }
  }
}
