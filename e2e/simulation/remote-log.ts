import type { EmbeddedLog } from '@tidemark/embedded-log';
import type { Appended, Log, LogBounds, LogRecord, LogWriter, Random, ReadOptions, Topic } from '@tidemark/ports';
import type { NetworkEndpoint } from '@tidemark/simulation';

interface AppendRequest {
  readonly topic: Topic;
  readonly partition: number;
  readonly producer: Uint8Array;
  readonly sequence: number;
  readonly value: Uint8Array;
}

interface ReadRequest {
  readonly topic: Topic;
  readonly partition: number;
  readonly from: number;
  readonly maxBytes: number;
  readonly waitMs: number;
}

interface PlaceRequest {
  readonly topic: Topic;
  readonly partition: number;
}

/** Answers for a log on this node, as a broker does. */
export function serveLog(network: NetworkEndpoint, log: EmbeddedLog): void {
  network.handle('log.append', async (body): Promise<Appended> => {
    const { topic, partition, producer, sequence, value } = body as AppendRequest;
    const writer = await log.resumeWriter(topic, partition, producer);
    return writer.append(sequence, value);
  });
  network.handle('log.read', async (body): Promise<LogRecord[]> => {
    const { topic, partition, from, maxBytes, waitMs } = body as ReadRequest;
    const records = await log.read(topic, partition, from, { maxBytes, waitMs });
    return records.map((record) => ({ ...record, value: Uint8Array.from(record.value) }));
  });
  network.handle('log.bounds', async (body): Promise<LogBounds> => {
    const { topic, partition } = body as PlaceRequest;
    return log.bounds(topic, partition);
  });
}

/** The log of another node: requests and replies may be late, lost or doubled, as the network pleases. */
export class RemoteLog implements Log {
  readonly #network: NetworkEndpoint;
  readonly #random: Random;
  readonly #to: string;

  constructor(network: NetworkEndpoint, random: Random, to: string) {
    this.#network = network;
    this.#random = random;
    this.#to = to;
  }

  async writer(topic: Topic, partition: number): Promise<LogWriter> {
    const producer = this.#random.bytes(16);
    return {
      append: async (sequence, value) => {
        const request: AppendRequest = { topic, partition, producer, sequence, value };
        return (await this.#network.call(this.#to, 'log.append', request)) as Appended;
      },
    };
  }

  async read(topic: Topic, partition: number, from: number, options: ReadOptions): Promise<LogRecord[]> {
    const request: ReadRequest = { topic, partition, from, maxBytes: options.maxBytes, waitMs: options.waitMs };
    return (await this.#network.call(this.#to, 'log.read', request)) as LogRecord[];
  }

  async bounds(topic: Topic, partition: number): Promise<LogBounds> {
    const request: PlaceRequest = { topic, partition };
    return (await this.#network.call(this.#to, 'log.bounds', request)) as LogBounds;
  }

  /** Consumers report what they have committed instead; the log's own node trims. */
  async trim(): Promise<void> {}
}
