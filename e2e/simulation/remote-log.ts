import {
  type Appended,
  type Clock,
  type Log,
  type LogBounds,
  type LogRecord,
  type LogWriter,
  type Random,
  type ReadOptions,
  TidemarkError,
  type Topic,
} from '@tidemark/ports';
import type { NetworkEndpoint } from '@tidemark/simulation';
import { leaderOf } from './settings.ts';

export interface AppendRequest {
  readonly topic: Topic;
  readonly partition: number;
  readonly producer: Uint8Array;
  readonly sequence: number;
  readonly value: Uint8Array;
}

export interface ReadRequest {
  readonly topic: Topic;
  readonly partition: number;
  readonly from: number;
  readonly maxBytes: number;
  readonly waitMs: number;
}

export interface PlaceRequest {
  readonly topic: Topic;
  readonly partition: number;
}

export interface TrimRequest extends PlaceRequest {
  readonly before: number;
}

/** Time limit of a request, in addition to the time that a read waits for records, ms. */
const REQUEST_MS = 3000;

/**
 * The log of other nodes. The network can delay, lose or duplicate requests and replies. Like a client of Kafka it asks
 * the leader of each partition, and treats a late answer as lost.
 */
export class RemoteLog implements Log {
  readonly #network: NetworkEndpoint;
  readonly #random: Random;
  readonly #clock: Clock;

  constructor(network: NetworkEndpoint, random: Random, clock: Clock) {
    this.#network = network;
    this.#random = random;
    this.#clock = clock;
  }

  async writer(topic: Topic, partition: number): Promise<LogWriter> {
    const producer = this.#random.bytes(16);
    return {
      append: async (sequence, value) => {
        const request: AppendRequest = { topic, partition, producer, sequence, value };
        return (await this.#call('log.append', request)) as Appended;
      },
    };
  }

  async read(topic: Topic, partition: number, from: number, options: ReadOptions): Promise<LogRecord[]> {
    const request: ReadRequest = { topic, partition, from, maxBytes: options.maxBytes, waitMs: options.waitMs };
    return (await this.#call('log.read', request, options.waitMs)) as LogRecord[];
  }

  async bounds(topic: Topic, partition: number): Promise<LogBounds> {
    const request: PlaceRequest = { topic, partition };
    return (await this.#call('log.bounds', request)) as LogBounds;
  }

  /** Trims `control`. For other topics the consumers report their commits, and the nodes of the log trim. */
  async trim(topic: Topic, partition: number, before: number): Promise<void> {
    const request: TrimRequest = { topic, partition, before };
    if (topic === 'control') await this.#call('log.trim', request);
  }

  async #call(method: string, request: PlaceRequest, waitMs = 0): Promise<unknown> {
    const late = Promise.withResolvers<never>();
    const leader = leaderOf(request.topic, request.partition);
    const timer = this.#clock.setTimer(REQUEST_MS + waitMs, () => {
      late.reject(new TidemarkError('deadline_exceeded', `${leader} did not answer ${method} in time`));
    });
    try {
      return await Promise.race([this.#network.call(leader, method, request), late.promise]);
    } finally {
      timer.cancel();
    }
  }
}
