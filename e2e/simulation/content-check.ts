import { toHex } from '@tidemark/bytes';
import type { AggregateReply } from '@tidemark/contract';
import type { ControlState } from '@tidemark/control-log';
import { SPACE_FOLD, TIME_FOLD } from '@tidemark/fold';
import { dayOf, KIND, type Kind, partitionOf } from '@tidemark/model';
import { unpackSketch } from '@tidemark/sketch';
import { readTagRecord } from '@tidemark/tag-records';
import type { Cluster } from './cluster.ts';
import { batchKey, pointKey } from './ledger.ts';
import type { StoredTopic } from './placement.ts';
import type { AppliedPoint, PlainConsumer } from './plain-consumer.ts';
import { resolvePoints } from './resolve-points.ts';
import type { RetentionCheck } from './retention-check.ts';
import { type KnownSeries, METRICS, TENANT } from './series.ts';
import { PARTITIONS, REPLICAS } from './settings.ts';
import type { StoreHost } from './store-host.ts';
import type { SupervisedNode } from './supervised-node.ts';
import { Violation } from './violation.ts';

const STEP_MS = 100;
/** Time before the first and after the last point of the run that is read too; longer than an interval. */
const MARGIN_MS = 2000;

/** Compares the content of the log and the stores at the end with what was recorded, sent and acknowledged. */
export class ContentCheck {
  readonly #cluster: Cluster;
  /** State of `control` from its first record. */
  readonly #truth: ControlState;
  readonly #retention: RetentionCheck;
  ackedPoints = 0;
  /** Number of points that repeat a series and timestamp. */
  equalTimes = 0;
  /** Number of shares that were accepted by a map older than the newest in force. */
  olderMaps = 0;
  /** Number of shares that more than one session accepted. */
  severalIntakes = 0;
  appliedPoints = 0;
  /** Number of values that were read from the stores, per replica. */
  valuesRead = 0;
  tagNeeds = 0;

  constructor(cluster: Cluster, truth: ControlState, retention: RetentionCheck) {
    this.#cluster = cluster;
    this.#retention = retention;
    this.#truth = truth;
  }

  /**
   * Checks that the log has only sent points, none twice, and all acknowledged points except `lost`, which were in records that
   * were lost.
   */
  checkLog(applied: readonly AppliedPoint[], lost: ReadonlySet<number>): void {
    const { ledger } = this.#cluster;
    const found = new Map<number, AppliedPoint>();
    const places = new Set<string>();
    for (const point of applied) {
      const key = pointKey(point.series, point.timeMs);
      const recorded = ledger.recorded.get(point.value);
      if (recorded === undefined || pointKey(recorded.series.id, recorded.timeMs) !== key) {
        throw new Violation('never-sent', `${key} is ${point.value} in the log, which was recorded elsewhere or never`);
      }
      const other = found.get(point.value);
      if (other !== undefined) {
        throw new Violation(
          'exactly-once',
          `${recorded.series.metric} ${key} is applied twice: partition ${other.partition} offset ${other.offset} (${other.batch}), ` +
            `partition ${point.partition} offset ${point.offset} (${point.batch})`,
        );
      }
      found.set(point.value, point);
      if (places.has(key)) this.equalTimes++;
      places.add(key);
    }
    this.appliedPoints = found.size;
    for (const batch of ledger.batches.values()) {
      if (!batch.isAcked) continue;
      this.ackedPoints += batch.points.length;
      const missing = batch.points.filter(({ value }) => !found.has(value) && !lost.has(value));
      if (missing.length === 0) continue;
      throw new Violation(
        'acked-is-kept',
        `${missing.length} of ${batch.points.length} points of ${batchKey(batch.clientSession, batch.sequence)} are lost, ` +
          `such as ${missing[0].series.metric} ${missing[0].value}`,
      );
    }
  }

  /** Checks that every point is in the partition of the map of its stamp, for every client and intake. */
  checkRoutes(applied: readonly AppliedPoint[]): void {
    for (const { value, mapEpoch, partition, offset } of applied) {
      const map = this.#truth.maps.get(mapEpoch);
      const series = this.#cluster.ledger.recorded.get(value)?.series;
      if (series === undefined || (map !== undefined && partitionOf(map, series.metricId) === partition)) continue;
      throw new Violation(
        'routed-by-map',
        `${series.metric} of map epoch ${mapEpoch} is at offset ${offset} of partition ${partition}, which that map does not give it`,
      );
    }
  }

  /** Checks that no session accepts points by a map that is not in force yet by its own clock. */
  checkMaps(): void {
    for (const accepted of this.#cluster.ledger.allAcceptances) {
      const sessions = new Set<string>();
      for (const { session, acceptMs, mapEpoch } of accepted) {
        sessions.add(session);
        const inForceMs = this.#truth.inForceMs(mapEpoch);
        if (acceptMs < inForceMs) {
          throw new Violation(
            'map-in-force',
            `${session} took a share of map ${mapEpoch} at ${acceptMs}, before ${inForceMs}`,
          );
        }
        if (mapEpoch < (this.#truth.mapAt(acceptMs)?.epoch ?? 0)) this.olderMaps++;
      }
      if (sessions.size > 1) this.severalIntakes++;
    }
  }

  /** Checks that a reader of `tags` up to a block's offset knows each of its series and their day. */
  checkTags(plain: readonly PlainConsumer[]): void {
    for (const [partition, consumer] of plain.entries()) {
      const named = new Map<string, number>();
      const days = new Map<string, number>();
      for (const [offset, record] of this.#cluster.copy.of('tags', partition).entries()) {
        if (this.#cluster.copy.isPassed('tags', partition, offset)) continue;
        const seen = (map: Map<string, number>, key: string) => map.has(key) || map.set(key, offset);
        readTagRecord(record, {
          series: (id, _, day) => {
            seen(named, toHex(id));
            seen(days, `${toHex(id)}/${day}`);
          },
          day: (id, day) => void seen(days, `${toHex(id)}/${day}`),
          statement: () => undefined,
        });
      }
      for (const { series, timeMs, tagsOffset, offset } of consumer.needs) {
        this.tagNeeds++;
        const name = named.get(series) ?? Number.POSITIVE_INFINITY;
        const day = days.get(`${series}/${dayOf(timeMs)}`) ?? Number.POSITIVE_INFINITY;
        if (Math.max(name, day) < tagsOffset) continue;
        throw new Violation(
          'tags-before-points',
          `block ${offset} of partition ${partition} names tags below ${tagsOffset}, but ${series} is named at ${name}`,
        );
      }
    }
  }

  /** Checks that every replica answers with exactly the points of the log. */
  async checkStores(applied: readonly AppliedPoint[]): Promise<void> {
    const bySeries = new Map<string, AppliedPoint[]>();
    for (const point of applied) {
      const key = `${point.partition}/${point.series}`;
      bySeries.set(key, [...(bySeries.get(key) ?? []), point]);
    }
    const times = applied.map(({ timeMs }) => timeMs);
    const fromMs = Math.min(...times) - MARGIN_MS;
    const toMs = Math.max(...times) + MARGIN_MS;
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const points = this.#replicas('points', partition);
      const tags = this.#replicas('tags', partition);
      for (const [i, store] of points.entries()) {
        for (const { metric } of METRICS) {
          await this.#checkMetric(store, tags[i], partition, metric, fromMs, toMs, bySeries);
        }
      }
    }
  }

  #replicas(topic: StoredTopic, partition: number): SupervisedNode<StoreHost>[] {
    const { placement, stores } = this.#cluster;
    const owners = placement.owners(topic, partition);
    const nodes = stores.filter(({ name, host }) => owners.includes(name) && host?.replica(partition) !== undefined);
    if (nodes.length !== REPLICAS) {
      throw new Violation('liveness', `${topic}/${partition} has ${nodes.length} replicas in the end, not ${REPLICAS}`);
    }
    return nodes;
  }

  async #checkMetric(
    pointStore: SupervisedNode<StoreHost>,
    tagStore: SupervisedNode<StoreHost>,
    partition: number,
    metric: string,
    fromMs: number,
    toMs: number,
    bySeries: ReadonlyMap<string, readonly AppliedPoint[]>,
  ): Promise<void> {
    const points = pointStore.host?.points.get(partition);
    const tags = tagStore.host?.tags.get(partition);
    if (points === undefined || tags === undefined) return;
    const series = this.#cluster.ledger.names.all.filter((one) => one.metric === metric);
    if (series.length === 0) return;
    const { kind, metricId } = series[0];
    const isSketch = kind === KIND.distribution;
    const reply = await points.aggregate({
      ...{ partition, metricId, fromMs, toMs, stepMs: STEP_MS, maxPoints: 0, tagsOffset: Number.MAX_SAFE_INTEGER },
      timeFold: isSketch ? TIME_FOLD.sketch : TIME_FOLD.points,
      latenessMs: 0,
      spaceFold: isSketch ? SPACE_FOLD.sketch : SPACE_FOLD.sum,
      groups: series.map(({ idBytes }) => ({ digest: Buffer.alloc(0), series: idBytes })),
    });
    const known = tags.match({
      ...{ partition, tenant: TENANT, metric, filter: undefined, groupBy: [], fromMs, toMs },
      ...{ maxSeries: 1_000_000, maxGroups: 1000 },
    });
    const named = new Set(known.groups.flatMap((group) => idsOf(group.series)));
    for (const [at, one] of series.entries()) {
      const expected = bySeries.get(`${partition}/${one.id}`) ?? [];
      if (expected.length > 0 && !named.has(one.id)) {
        throw new Violation(
          'tags-before-points',
          `${metric}{${one.tags}} has points in ${pointStore.name}, ${tagStore.name} does not know it`,
        );
      }
      this.#compare(pointStore.name, partition, one, valuesOf(reply, at, fromMs), expected);
    }
  }

  #compare(
    store: string,
    partition: number,
    series: KnownSeries,
    found: ReadonlyMap<number, number>,
    points: readonly AppliedPoint[],
  ): void {
    const expected = expectedValues(series.kind, points);
    for (const timeMs of new Set([...found.keys(), ...expected.keys()])) {
      if (this.#retention.mayBeGone({ partition, timeMs: timeMs - MARGIN_MS })) continue;
      this.valuesRead++;
      if (found.get(timeMs) === expected.get(timeMs)) continue;
      throw new Violation(
        'stores-hold-the-log',
        `${store}, partition ${partition}: ${series.metric}{${series.tags}} at ${timeMs} is ${found.get(timeMs)}, ` +
          `the log has ${expected.get(timeMs)}`,
      );
    }
  }
}

/** Values by step. Sketches are in each step that their interval touches, all other points only in their own. */
function expectedValues(kind: Kind, points: readonly AppliedPoint[]): Map<number, number> {
  const expected = new Map<number, number>();
  for (const [timeMs, equal] of Map.groupBy(points, (point) => point.timeMs)) {
    const durationMs = kind === KIND.distribution ? Math.max(1, equal[0].intervalMs) : 1;
    const value = resolvePoints(kind, equal);
    for (let stepMs = timeMs; stepMs < timeMs + durationMs; stepMs += STEP_MS) {
      expected.set(stepMs, (expected.get(stepMs) ?? 0) + value);
    }
  }
  return expected;
}

/** Values of one group by time, without empty steps. */
function valuesOf(reply: AggregateReply, group: number, fromMs: number): Map<number, number> {
  const { count, sum, sketches } = reply.groups[group];
  const values = new Map<number, number>();
  for (const [step, packed] of sketches.entries()) {
    if (packed.length > 0) values.set(fromMs + step * STEP_MS, unpackSketch(packed).sum);
  }
  for (let step = 0; step * 8 < sum.length; step++) {
    if (count.readDoubleLE(step * 8) > 0) values.set(fromMs + step * STEP_MS, sum.readDoubleLE(step * 8));
  }
  return values;
}

function idsOf(series: Uint8Array): string[] {
  return Array.from({ length: series.length / 16 }, (_, i) => toHex(series.subarray(i * 16, i * 16 + 16)));
}
