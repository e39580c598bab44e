import { ControlFollower } from '@tidemark/control-log';
import { Coordinator, countSeries } from '@tidemark/coordinator';
import { type EmbeddedLog, openEmbeddedLog } from '@tidemark/embedded-log';
import { DEFAULT_INTAKE_LIMITS, DEFAULT_LANE_TIMING, IntakeRunner, sessionClock } from '@tidemark/intake';
import { LogConsumer } from '@tidemark/log-consumer';
import { DAY_MS, DEFAULT_POINT_LIMITS } from '@tidemark/model';
import { PointPartition } from '@tidemark/point-store';
import { type KeyValue, sleep } from '@tidemark/ports';
import type { NodePorts } from '@tidemark/simulation';
import { TagPartition } from '@tidemark/tag-store';
import { CHECKPOINT_RECORDS, POINT_LIMITS, TENANT_SERIES, TRIM_MS } from './bounds.ts';

const LATENESS_MS = 3000;
/** First byte of the keys of chunks. */
const CHUNK = 0x10;
const NO_EVENTS = { info: () => undefined, error: () => undefined };

/** All parts of a platform with one partition, on one simulated machine. */
export class ChurnPlatform {
  readonly ports: NodePorts;
  readonly log: EmbeddedLog;
  readonly control: ControlFollower;
  readonly coordinator: Coordinator;
  readonly points: PointPartition;
  readonly tags: TagPartition;
  readonly #pointEntries: KeyValue;
  readonly #failed: (error: unknown) => void;
  runner: IntakeRunner;

  private constructor(
    parts: Pick<ChurnPlatform, 'ports' | 'log' | 'control' | 'coordinator' | 'points' | 'tags'>,
    pointEntries: KeyValue,
    failed: (error: unknown) => void,
  ) {
    this.ports = parts.ports;
    this.log = parts.log;
    this.control = parts.control;
    this.coordinator = parts.coordinator;
    this.points = parts.points;
    this.tags = parts.tags;
    this.#pointEntries = pointEntries;
    this.#failed = failed;
    this.runner = this.#intake();
  }

  /** `failed` is called for an error that must never happen. */
  static async start(ports: NodePorts, failed: (error: unknown) => void): Promise<ChurnPlatform> {
    const { clock, random, disk, openKeyValue } = ports;
    const partitions = { points: 1, tags: 1, control: 1 };
    const limits = { segmentBytes: 256 * 1024, tailCacheBytes: 64 * 1024 };
    const log = await openEmbeddedLog({ clock, random, disk, partitions, limits });
    const control = new ControlFollower(log, clock);
    await control.start();
    const latenessMs = () => LATENESS_MS;
    const keyValue = await openKeyValue('points/0');
    const points = await PointPartition.open({ partition: 0, keyValue, limits: POINT_LIMITS, latenessMs });
    const tags = await TagPartition.open({ keyValue: await openKeyValue('tags/0'), retentionDays: 1 });
    for (const [topic, state] of [
      ['points', points],
      ['tags', tags],
    ] as const) {
      const onHalt = (halt: unknown) => halt !== undefined && failed(new Error(`${topic} halted: ${String(halt)}`));
      new LogConsumer({ log, topic, partition: 0, state, clock, skipReason: () => undefined, onHalt }).start();
    }
    const counts = async () => {
      const sinceDay = Math.floor(clock.wallMs() / DAY_MS) - 1;
      const { tenants } = tags.budgets(0, TENANT_SERIES, sinceDay);
      return countSeries(1, async () => ({ counts: tenants.map((one) => ({ ...one, metric: '' })) }), 1, sinceDay);
    };
    const coordinator = new Coordinator({
      ...{ log, control, clock, random, process: 'coordinator', partitions: 1, isAlone: true },
      ...{ tenantSeries: TENANT_SERIES, metricSeries: TENANT_SERIES, seriesCounts: counts },
      checkpointRecords: CHECKPOINT_RECORDS,
    });
    await coordinator.start();
    const platform = new ChurnPlatform({ ports, log, control, coordinator, points, tags }, keyValue, failed);
    await platform.runner.start();
    platform.#trim().catch(failed);
    return platform;
  }

  /** Starts another intake, after the last one was stopped. */
  async nextIntake(): Promise<void> {
    this.runner = this.#intake();
    await this.runner.start();
  }

  /** Number of buckets that have chunks on disk. */
  async buckets(): Promise<number> {
    const buckets = new Set<string>();
    for await (const { key } of this.#pointEntries.entries({
      from: Uint8Array.of(CHUNK),
      to: Uint8Array.of(CHUNK + 1),
    })) {
      buckets.add(Buffer.from(key.subarray(1, 7)).toString('hex'));
    }
    return buckets.size;
  }

  #intake(): IntakeRunner {
    const { log, control, tags, ports } = this;
    const { clock, random } = ports;
    return new IntakeRunner(
      {
        ...{ log, control, clock, random, process: 'intake', acceptClock: () => sessionClock(clock) },
        latenessMs: () => LATENESS_MS,
        limits: { ...DEFAULT_INTAKE_LIMITS, ...DEFAULT_POINT_LIMITS },
        timing: DEFAULT_LANE_TIMING,
        budgets: { tenantSeries: TENANT_SERIES, metricSeries: TENANT_SERIES },
        knownSeries: async (partition, tenant, ids) => {
          const found = tags.seriesTags({ partition, tenant, series: Buffer.concat(ids) }).series;
          return found.map(({ metric }) => metric !== '');
        },
      },
      { ...NO_EVENTS, fatal: this.#failed },
    );
  }

  /** As the trimmer of a process does: below what the store has committed. */
  async #trim(): Promise<void> {
    const { log, ports, points, tags } = this;
    for (;;) {
      await sleep(ports.clock, TRIM_MS);
      await log.trim('points', 0, points.committedOffset);
      await log.trim('tags', 0, tags.committedOffset);
    }
  }
}
