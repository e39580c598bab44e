import { randomBytes } from 'node:crypto';
import { type ClientDuplexStream, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { ByteWriter } from '@tidemark/bytes';
import { encodeShare, PointColumns } from '@tidemark/columns';
import {
  type Batch,
  type BatchResult,
  type DefinitionsResult,
  type Greeting,
  IntakeClient,
  type SendReply,
  type SendRequest,
  type Series,
} from '@tidemark/contract';
import { metricId, type PartitionMap, partitionOf, unpackSlots } from '@tidemark/model';
import type { TidemarkError } from '@tidemark/ports';
import { fromGrpcError } from '@tidemark/rpc';
import { eventually } from './eventually.ts';

export interface PeerOptions {
  readonly key?: string;
  /** gRPC's own compression of messages. */
  readonly gzip?: boolean;
}

export type PointOf = readonly [ref: number, timeMs: number, value: number];

/** A raw peer of the intake stream, which can also send what the client library never sends. */
export class IntakePeer {
  readonly #client: IntakeClient;
  readonly #call: ClientDuplexStream<SendRequest, SendReply>;
  readonly #results = new Map<number, BatchResult>();
  readonly definitions: DefinitionsResult[] = [];
  greeting: Greeting | undefined;
  /** How the stream ended. */
  error: TidemarkError | undefined;
  #sequence = 0;

  constructor(address: string, { key, gzip = false }: PeerOptions = {}) {
    this.#client = new IntakeClient(address, credentials.createInsecure(), {
      'grpc.max_send_message_length': -1,
      'grpc.enable_retries': 0,
      'grpc.use_local_subchannel_pool': 1,
      ...(gzip ? { 'grpc.default_compression_algorithm': 2 } : {}),
    });
    const metadata = new Metadata();
    if (key !== undefined) metadata.set('authorization', `Bearer ${key}`);
    this.#call = this.#client.send(metadata);
    this.#call.on('error', (error: ServiceError) => {
      this.error = fromGrpcError(error);
    });
    this.#call.on('data', ({ message }: SendReply) => {
      if (message?.$case === 'greeting') this.greeting = message.value;
      else if (message?.$case === 'batch') this.#results.set(message.value.sequence, message.value);
      else if (message?.$case === 'definitions') this.definitions.push(message.value);
    });
  }

  /** Opens a stream and waits for the hello of the intake. */
  static async greeted(address: string, options?: PeerOptions): Promise<IntakePeer> {
    const peer = new IntakePeer(address, options);
    peer.hello();
    await eventually('a greeting', () => peer.greeting ?? peer.error);
    return peer;
  }

  send(message: SendRequest['message']): void {
    this.#call.write({ message });
  }

  hello(clientSession: Uint8Array = randomBytes(16), clientName = 'peer'): void {
    this.send({ $case: 'hello', value: { clientSession: Buffer.from(clientSession), clientName } });
  }

  define(partition: number, series: Series[], firstRef = 0): void {
    this.send({ $case: 'definitions', value: { mapEpoch: this.map.epoch, partition, firstRef, series } });
  }

  /** Sends a batch with the next sequence, and returns the answer. */
  async batch(shares: Batch['shares'], changes: Partial<Batch> = {}): Promise<BatchResult> {
    const sequence = this.#sequence++;
    const stamp = { sequence, mapEpoch: this.map.epoch, floor: 0, frontierMs: undefined, stampedMs: Date.now() };
    this.send({ $case: 'batch', value: { ...stamp, shares, ...changes } });
    const at = changes.sequence ?? sequence;
    return eventually(`the result of batch ${at}`, () => {
      if (this.error !== undefined) throw this.error;
      return this.#results.get(at);
    });
  }

  /** Waits until the intake ends the stream. */
  ended(): Promise<TidemarkError> {
    return eventually('the stream to end', () => this.error);
  }

  get map(): PartitionMap {
    const map = this.greeting?.map;
    if (map === undefined) throw new Error('not greeted');
    return { epoch: map.epoch, partitions: map.partitions, slots: unpackSlots(map.slots) };
  }

  partitionOf(metric: string): number {
    return partitionOf(this.map, metricId(this.greeting?.tenant ?? '', metric));
  }

  close(): void {
    this.#call.end();
    this.#call.cancel();
    this.#client.close();
  }
}

/** Encodes points with ascending refs as the points of a share. */
export function shareOf(points: readonly PointOf[]): Buffer {
  const columns = new PointColumns();
  for (const [ref, timeMs, value] of points) columns.push(ref, timeMs, value);
  const out = new ByteWriter(1024);
  encodeShare(columns, undefined, out);
  return Buffer.from(out.take());
}
