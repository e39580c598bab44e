import { isIP } from 'node:net';
import {
  apiVersionsV3,
  Connection,
  type ConnectionOptions,
  deleteRecordsV2,
  fetchV17,
  initProducerIdV5,
  listOffsetsV7,
  metadataV12,
} from '@platformatic/kafka';
import { type Clock, TidemarkError } from '@tidemark/ports';
import type { KafkaLogLimits, KafkaLogOptions } from './kafka-options.ts';
import { Permits } from './permits.ts';
import { PRODUCE_BY_ID, PRODUCE_BY_NAME } from './produce-call.ts';

/**
 * The purpose of a connection. A broker handles the requests of one connection one at a time, in order: a read that
 * waits for a record, or an append that waits for its replicas, delays all requests behind it.
 */
export type Purpose = 'append' | 'read' | 'ask' | 'admin';

export interface Address {
  readonly host: string;
  readonly port: number;
}

interface Slot {
  readonly connection: Promise<Connection>;
  busy: number;
}

interface Lane {
  readonly slots: Slot[];
  readonly permits: Permits;
  readonly connections: number;
}

const ASK_CONNECTIONS = 2;
/** Requests in flight per `ask` connection; brokers answer them without waiting. */
const ASKS_PER_CONNECTION = 32;
const ADMIN_CONNECTIONS = 4;
const PRODUCE = 0;
const NEEDED = [
  metadataV12.api,
  initProducerIdV5.api,
  fetchV17.api,
  listOffsetsV7.api,
  deleteRecordsV2.api,
  { key: PRODUCE, version: PRODUCE_BY_NAME },
];
const SOFTWARE = 'tidemark';

/** The connections to one broker, by purpose. */
export class BrokerLink {
  readonly address: Address;
  readonly #clientId: string;
  readonly #limits: KafkaLogLimits;
  readonly #options: ConnectionOptions;
  readonly #lanes: Readonly<Record<Purpose, Lane>>;
  #features: Promise<{ producesById: boolean }> | undefined;
  #isClosed = false;

  constructor(address: Address, options: KafkaLogOptions, limits: KafkaLogLimits, clock: Clock) {
    this.address = address;
    this.#clientId = options.clientId;
    this.#limits = limits;
    this.#options = connectionOptions(address, options, limits);
    const lane = (purpose: Purpose, connections: number, each = 1): Lane => ({
      slots: [],
      permits: new Permits(`${purpose} connections`, connections * each, limits.waitingRequests, clock),
      connections,
    });
    this.#lanes = {
      append: lane('append', limits.appendConnections),
      read: lane('read', limits.readConnections),
      ask: lane('ask', ASK_CONNECTIONS, ASKS_PER_CONNECTION),
      admin: lane('admin', ADMIN_CONNECTIONS),
    };
  }

  /** The broker's address, `host:port`, for messages. */
  get name(): string {
    return `${this.address.host}:${this.address.port}`;
  }

  /** Runs one request on a connection for `purpose`. Errors: those of `request`, those of connecting. */
  async run<T>(purpose: Purpose, request: (connection: Connection) => Promise<T>): Promise<T> {
    const lane = this.#lanes[purpose];
    const permit = await lane.permits.take(1, this.#limits.requestMs);
    try {
      if (this.#isClosed) throw new TidemarkError('unavailable', 'the log is closed');
      const slot = this.#pick(purpose, lane);
      slot.busy++;
      try {
        return await request(await slot.connection);
      } finally {
        slot.busy--;
      }
    } finally {
      lane.permits.give(permit);
    }
  }

  /** The optional features of the broker. Errors: `failed_precondition` when it is too old. */
  features(): Promise<{ producesById: boolean }> {
    this.#features ??= this.#ask().catch((error) => {
      this.#features = undefined;
      throw error;
    });
    return this.#features;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const slots = Object.values(this.#lanes).flatMap((lane) => lane.slots);
    await Promise.allSettled(slots.map(async (slot) => (await slot.connection).close()));
  }

  async #ask(): Promise<{ producesById: boolean }> {
    const { apiKeys } = await this.run('ask', (connection) => apiVersionsV3.api.async(connection, SOFTWARE, '1'));
    const has = (key: number, version: number): boolean =>
      apiKeys.some((api) => api.apiKey === key && api.minVersion <= version && version <= api.maxVersion);
    const lacking = NEEDED.find(({ key, version }) => !has(key, version));
    if (lacking !== undefined) {
      throw new TidemarkError(
        'failed_precondition',
        `the broker at ${this.name} does not support version ${lacking.version} of API ${lacking.key}: Kafka 3.9 or later is needed`,
        { broker: this.name },
      );
    }
    return { producesById: has(PRODUCE, PRODUCE_BY_ID) };
  }

  /** The connection with the fewest requests; a new one while all are busy and more are allowed. */
  #pick(purpose: Purpose, lane: Lane): Slot {
    let best: Slot | undefined;
    for (const slot of lane.slots) if (best === undefined || slot.busy < best.busy) best = slot;
    if (best !== undefined && (best.busy === 0 || lane.slots.length >= lane.connections)) return best;
    const slot: Slot = { connection: this.#connect(purpose, () => drop(lane, slot)), busy: 0 };
    lane.slots.push(slot);
    slot.connection.catch(() => drop(lane, slot));
    return slot;
  }

  async #connect(purpose: Purpose, onEnd: () => void): Promise<Connection> {
    const waitMs = purpose === 'read' ? this.#limits.readWaitMs : 0;
    const requestTimeout = this.#limits.requestMs + waitMs;
    const connection = new Connection(this.#clientId, { ...this.#options, requestTimeout });
    // Without a listener an error event would end the process; requests get their own errors.
    connection.on('error', onEnd);
    connection.on('close', onEnd);
    connection.on('closing', onEnd);
    await connection.connect(this.address.host, this.address.port);
    return connection;
  }
}

function drop(lane: Lane, slot: Slot): void {
  const at = lane.slots.indexOf(slot);
  if (at >= 0) lane.slots.splice(at, 1);
}

function connectionOptions(
  { host }: Address,
  { tls, sasl }: KafkaLogOptions,
  limits: KafkaLogLimits,
): ConnectionOptions {
  return {
    connectTimeout: limits.connectMs,
    // The permits of each purpose bound the requests.
    maxInflights: ASKS_PER_CONNECTION,
    tls: tls === undefined ? undefined : { ca: tls.ca, cert: tls.certificate, key: tls.key },
    // Proxies in front of brokers route by server name, and an IP address is not a valid one.
    tlsServerName: tls === undefined || isIP(host) !== 0 ? undefined : host,
    sasl,
  };
}
