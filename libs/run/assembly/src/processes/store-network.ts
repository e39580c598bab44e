import type {
  PointStateHashReply,
  PointStateHashRequest,
  SeriesCountsReply,
  SeriesCountsRequest,
} from '@tidemark/contract';
import type { ControlledStores, StorePosition } from '@tidemark/coordinator';
import { yieldTurn } from '@tidemark/node-runtime';
import { type PlacedProcess, Placement } from '@tidemark/placement';
import { type Clock, isTidemarkError, TidemarkError } from '@tidemark/ports';
import { ReplicaStores } from '@tidemark/replicas';
import {
  type AggregatorReader,
  grpcAggregator,
  grpcPointStore,
  grpcTagStore,
  type PositionsReader,
} from '@tidemark/store-rpc';
import { askConsumers, type Consumer } from './consumer.ts';
import type { PeerSecurity } from './peer-security.ts';
import type { ServiceContext } from './service-context.ts';

/** A query ends before the timeout of its calls, with its own reason. */
const BEYOND_QUERY_MS = 5_000;
/** Long enough for a state hash, which reads the whole partition. */
const MIN_TIMEOUT_MS = 35_000;
/** Time within which a store says where it is. */
const POSITIONS_MS = 5000;

type PointProcess = ReturnType<typeof grpcPointStore>;
type TagProcess = ReturnType<typeof grpcTagStore>;

/** Connections to every store process that the settings place, and reads that go to the right replica. */
export class StoreNetwork {
  readonly points: Placement;
  readonly tags: Placement;
  readonly stores: ReplicaStores;
  readonly #clock: Clock;
  readonly #points = new Map<string, PointProcess>();
  readonly #tags = new Map<string, TagProcess>();
  readonly #aggregators: readonly (PlacedProcess & { readonly reader: ReturnType<typeof grpcAggregator> })[];

  /** Connects lazily. */
  constructor({ settings, clock, events }: ServiceContext, { channel, key }: PeerSecurity) {
    const { pointStores, tagStores } = settings.cluster;
    this.#clock = clock;
    this.points = new Placement(pointStores);
    this.tags = new Placement(tagStores);
    const timeoutMs = Math.max(MIN_TIMEOUT_MS, settings.query.timeMs + BEYOND_QUERY_MS);
    const slicing = { clock, yieldTurn };
    const options = { clock, key, timeoutMs, slicing, messageBytes: settings.grpc.sendBytes };
    for (const { address } of this.points.processes) {
      this.#points.set(address, grpcPointStore(address, channel, options));
    }
    for (const { address } of this.tags.processes) this.#tags.set(address, grpcTagStore(address, channel, options));
    this.#aggregators = settings.cluster.aggregators.map((process) => {
      return { ...process, reader: grpcAggregator(process.address, channel, options) };
    });
    this.stores = new ReplicaStores({
      points: this.points.processes.map(({ address, partitions }) => {
        return { name: address, partitions, reader: found(this.#points, address) };
      }),
      tags: this.tags.processes.map(({ address, partitions }) => {
        return { name: address, partitions, reader: found(this.#tags, address) };
      }),
      clock,
      limits: { seriesSets: settings.query.seriesSets, matchBytes: settings.query.matchBytes },
      onDivergence: (event, { topic, partition, bucketMs, offset, hashes }) => {
        const detail = { bucketMs, offset, hashes: hashes.map(({ process, hash }) => `${process} ${hash}`).join(', ') };
        if (event === 'found') events.error(`replicas of ${topic}/${partition} differ`, detail);
        else events.info(`replicas of ${topic}/${partition} agree again`, detail);
      },
    });
  }

  /** Readers for the control API: the answer of any replica. */
  get controlled(): ControlledStores {
    const { stores } = this;
    return {
      pointStore: (partition) => ({
        status: (request, signal) => stores.pointStore(partition).status(request, signal),
        stateHash: (request) => this.#hash(request),
      }),
      tagStore: (partition) => stores.tagStore(partition),
    };
  }

  /** Every process that consumes the log. */
  get consumers(): Consumer[] {
    return [
      ...this.#storeConsumers,
      ...this.#aggregators.map(({ address, partitions, reader }): Consumer => {
        return { topic: 'points', address, partitions, reader: positionsOf(reader, partitions) };
      }),
    ];
  }

  /** Asks all point stores and tag stores for their positions; those that don't answer before the signal aborts have none. */
  async storePositions(signal: AbortSignal): Promise<StorePosition[]> {
    const late = new AbortController();
    const timer = this.#clock.setTimer(POSITIONS_MS, () => late.abort());
    const asked = await askConsumers(this.#storeConsumers, AbortSignal.any([late.signal, signal])).finally(() =>
      timer.cancel(),
    );
    return asked.flatMap(([{ topic }, positions]) => [...positions.values()].map((one) => ({ ...one, topic })));
  }

  get #storeConsumers(): Consumer[] {
    return [
      ...this.points.processes.map(({ address, partitions }): Consumer => {
        return { topic: 'points', address, partitions, reader: found(this.#points, address) };
      }),
      ...this.tags.processes.map(({ address, partitions }): Consumer => {
        return { topic: 'tags', address, partitions, reader: found(this.#tags, address) };
      }),
    ];
  }

  /** Returns every tag store that owns the partition. */
  tagReplicas(partition: number): TagProcess[] {
    return this.tags.ownersOf(partition).map((address) => found(this.#tags, address));
  }

  /** Returns the series of the partition that count towards budgets, from the first tag store that answers. */
  seriesCounts(request: SeriesCountsRequest): Promise<SeriesCountsReply> {
    const owners = this.tags.ownersOf(request.partition);
    return firstAnswer(`tags/${request.partition}`, owners, (address) => {
      return found(this.#tags, address).seriesCounts(request);
    });
  }

  async close(): Promise<void> {
    await this.stores.stop();
    for (const process of [...this.#points.values(), ...this.#tags.values()]) process.close();
    for (const { reader } of this.#aggregators) reader.close();
  }

  #hash(request: PointStateHashRequest): Promise<PointStateHashReply> {
    const owners = this.points.ownersOf(request.partition);
    return firstAnswer(`points/${request.partition}`, owners, (address) => {
      return found(this.#points, address).stateHash(request);
    });
  }
}

/** Returns a reader of the positions of an aggregator. */
function positionsOf(reader: AggregatorReader, partitions: readonly number[]): PositionsReader {
  return {
    positions: async (signal) => ({
      positions: await Promise.all(partitions.map((partition) => reader.status({ partition }, signal))),
    }),
  };
}

/** Asks the processes one after the other; throws `unavailable` with the last error when none answers. */
async function firstAnswer<T>(
  part: string,
  addresses: readonly string[],
  ask: (address: string) => Promise<T>,
): Promise<T> {
  let last: TidemarkError | undefined;
  for (const address of addresses) {
    try {
      return await ask(address);
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
      last = error;
    }
  }
  const reason = last === undefined ? 'no store owns it' : last.message;
  throw new TidemarkError('unavailable', `no store of ${part} answers: ${reason}`, { part }, { cause: last });
}

function found<T>(processes: ReadonlyMap<string, T>, address: string): T {
  const process = processes.get(address);
  if (process === undefined) throw new TidemarkError('not_found', `no store is placed at ${address}`);
  return process;
}
