import type {
  AggregateRequest,
  DescribeMetricsRequest,
  DescribeTagsRequest,
  MatchRequest,
  SeriesTagsRequest,
} from '@tidemark/contract';
import { PartitionConsumer, type PartitionState } from '@tidemark/partition';
import { PointPartition } from '@tidemark/point-store';
import { type Clock, type OpenKeyValue, type Random, sleep, TidemarkError, type Topic } from '@tidemark/ports';
import type { NetworkEndpoint } from '@tidemark/simulation';
import { TagPartition } from '@tidemark/tag-store';
import { RemoteLog } from './remote-log.ts';
import { LATENESS_MS, PARTITIONS, POINT_LIMITS } from './settings.ts';
import { Violation } from './violation.ts';
import type { Wiring } from './wiring.ts';

export interface StoreHostOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly network: NetworkEndpoint;
  readonly openKeyValue: OpenKeyValue;
  readonly wiring: Wiring;
  readonly failed: (error: unknown) => void;
}

const REPORT_MS = 3000;

/** A store's process: the point store and the tag store of every partition. */
export class StoreHost {
  readonly points: PointPartition[] = [];
  readonly tags: TagPartition[] = [];
  readonly consumers: PartitionConsumer[] = [];
  readonly #options: StoreHostOptions;

  constructor(options: StoreHostOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { openKeyValue, wiring, network, random, clock, failed } = this.#options;
    const log = wiring.storeLog(new RemoteLog(network, random, 'log'));
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const points = await PointPartition.open({
        partition,
        keyValue: wiring.keyValue(await openKeyValue(`points/${partition}`), clock),
        limits: POINT_LIMITS,
        latenessMs: () => LATENESS_MS,
      });
      const tags = await TagPartition.open({
        keyValue: wiring.keyValue(await openKeyValue(`tags/${partition}`), clock),
        commitRecords: 5,
      });
      this.points.push(points);
      this.tags.push(tags);
      this.#consume(log, 'points', partition, points);
      this.#consume(log, 'tags', partition, tags);
    }
    this.#serve();
    this.#report().catch(failed);
  }

  #consume(
    log: RemoteLog | ReturnType<Wiring['storeLog']>,
    topic: Topic,
    partition: number,
    state: PartitionState,
  ): void {
    const { clock, failed } = this.#options;
    const consumer = new PartitionConsumer({
      log,
      topic,
      partition,
      state,
      clock,
      skipReason: () => undefined,
      readBytes: 4096,
      readWaitMs: 1000,
      onHalt: (halt) => {
        if (halt === undefined) return;
        failed(
          new Violation('partition-halts', `${topic}/${partition} at offset ${halt.offset}: ${halt.error.message}`),
        );
      },
    });
    this.consumers.push(consumer);
    consumer.start();
  }

  #serve(): void {
    const { network } = this.#options;
    const tagsOf = ({ partition }: { partition: number }) => this.#of(this.tags, partition);
    const pointsOf = ({ partition }: { partition: number }) => this.#of(this.points, partition);
    const handle = <Request>(method: string, answer: (request: Request) => unknown) =>
      network.handle(method, async (body) => answer(body as Request));
    handle<AggregateRequest>('aggregate', (request) => pointsOf(request).aggregate(request));
    handle<MatchRequest>('match', (request) => tagsOf(request).match(request));
    handle<DescribeMetricsRequest>('describeMetrics', (request) => tagsOf(request).describeMetrics(request));
    handle<DescribeTagsRequest>('describeTags', (request) => tagsOf(request).describeTags(request));
    handle<SeriesTagsRequest>('seriesTags', (request) => tagsOf(request).seriesTags(request));
  }

  #of<T>(stores: readonly T[], partition: number): T {
    const store = stores[partition];
    if (store === undefined) throw new TidemarkError('not_found', `partition ${partition} is not here`);
    return store;
  }

  /** Says what is committed, so that the log can let go of it. */
  async #report(): Promise<void> {
    const { network, clock } = this.#options;
    for (;;) {
      await sleep(clock, REPORT_MS);
      const places = [
        ...this.points.map((store, partition) => ({ topic: 'points', partition, offset: store.committedOffset })),
        ...this.tags.map((store, partition) => ({ topic: 'tags', partition, offset: store.committedOffset })),
      ];
      await network.call('log', 'committed', places).catch(() => undefined);
    }
  }
}
