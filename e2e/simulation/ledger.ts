import { toHex } from '@tidemark/bytes';
import { decodeShare, PointColumns, SketchColumns } from '@tidemark/columns';
import type { Batch, Series } from '@tidemark/contract';
import type { Kind } from '@tidemark/model';
import { unpackSketch } from '@tidemark/sketch';
import { type KnownSeries, SeriesNames } from './series.ts';
import { Violation } from './violation.ts';
import type { OfferedShare } from './wiring.ts';

/** One value that a program recorded; `value` is unique over the run. */
export interface RecordedPoint {
  readonly series: KnownSeries;
  readonly timeMs: number;
  readonly value: number;
}

export interface SentPoint extends RecordedPoint {
  readonly partition: number;
}

/** A batch as its client first sent it. */
export interface SentBatch {
  readonly client: string;
  readonly clientSession: string;
  readonly sequence: number;
  readonly bytes: string;
  readonly points: readonly SentPoint[];
  isAcked: boolean;
}

/** Records that a session accepted a share, and when by its own clock. */
export interface Acceptance {
  readonly session: string;
  readonly acceptMs: number;
  readonly mapEpoch: number;
}

/**
 * Everything that was recorded, sent, accepted and acknowledged, as seen from outside of the platform. The checks
 * compare the platform with it.
 */
export class Ledger {
  readonly names = new SeriesNames();
  /** By value. */
  readonly recorded = new Map<number, RecordedPoint>();
  /** By series and timestamp; several are sent one after the other. */
  readonly #recordedAt = new Map<string, number[]>();
  /** Highest floor that was sent, by client session: all below is settled. */
  readonly #floors = new Map<string, number>();
  readonly #sent = new Set<number>();
  readonly batches = new Map<string, SentBatch>();
  readonly #accepted = new Map<string, Acceptance[]>();
  acks = 0;
  sessions = 0;
  resends = 0;
  /** Shares that were accepted since they were last taken. */
  acceptedShares: { readonly session: string; readonly partition: number }[] = [];
  /** Number of shares that were refused because all stores of their partition were halted. */
  haltedShares = 0;

  record(metric: string, kind: Kind, tags: readonly string[], timeMs: number, value: number): void {
    const series = this.names.add(metric, kind, tags);
    this.recorded.set(value, { series, timeMs, value });
    const key = pointKey(series.id, timeMs);
    this.#recordedAt.set(key, [...(this.#recordedAt.get(key) ?? []), value]);
  }

  /** True if all points of this series and timestamp were sent: a client merges the unsent ones. */
  isSent(metric: string, kind: Kind, tags: readonly string[], timeMs: number): boolean {
    const values = this.#recordedAt.get(pointKey(this.names.add(metric, kind, tags).id, timeMs)) ?? [];
    return values.every((value) => this.#sent.has(value));
  }

  isRecorded(metric: string, kind: Kind, tags: readonly string[], timeMs: number): boolean {
    return this.#recordedAt.has(pointKey(this.names.add(metric, kind, tags).id, timeMs));
  }

  /** A client sent a batch; `defined` are its stream's series by epoch and partition. */
  sent(client: string, clientSession: Uint8Array, batch: Batch, defined: ReadonlyMap<string, readonly Series[]>): void {
    const id = toHex(clientSession);
    const key = batchKey(id, batch.sequence);
    this.#floors.set(id, Math.max(this.#floors.get(id) ?? 0, batch.floor));
    const bytes = batch.shares.map(({ partition, points }) => `${partition}:${toHex(points)}`).join(' ');
    const known = this.batches.get(key);
    if (known !== undefined) {
      this.resends++;
      if (known.bytes !== bytes) throw new Violation('stamp-kept', `batch ${key} was sent again with other shares`);
      return;
    }
    const points = batch.shares.flatMap((share) => {
      const table = defined.get(`${batch.mapEpoch}/${share.partition}`) ?? [];
      return pointsOf(share.points).map(({ ref, timeMs, value }) => {
        const one = table[ref];
        if (one === undefined) throw new Violation('definitions', `batch ${key} uses ref ${ref} without a definition`);
        return {
          series: this.names.add(one.metric, one.kind as Kind, one.tags),
          timeMs,
          value,
          partition: share.partition,
        };
      });
    });
    const sent: SentBatch = { client, clientSession: id, sequence: batch.sequence, bytes, points, isAcked: false };
    this.batches.set(key, sent);
    for (const { series, timeMs, value } of points) {
      const recorded = this.recorded.get(value);
      this.#sent.add(value);
      if (recorded?.series === series && recorded.timeMs === timeMs) continue;
      throw new Violation(
        'as-recorded',
        `batch ${key} has ${series.metric}{${series.tags}} ${value} at ${timeMs}, which was recorded at ${recorded?.timeMs}`,
      );
    }
  }

  /** Records that an intake acknowledged a batch. From now on that is a promise, even if the answer is lost. */
  acked(clientSession: string, sequence: number, points: number): void {
    const batch = this.batches.get(batchKey(clientSession, sequence));
    if (batch === undefined)
      throw new Violation('acks', `an ack for ${clientSession}:${sequence}, which was never sent`);
    this.acks++;
    // Without an earlier ack the client has given it up, as `indeterminate`. Consumers drop it when it comes after a batch
    // with that floor.
    if (!batch.isAcked && sequence < (this.#floors.get(clientSession) ?? 0)) return;
    batch.isAcked = true;
    if (points !== batch.points.length) {
      throw new Violation(
        'acks',
        `${clientSession}:${sequence}: ${points} of ${batch.points.length} points were taken`,
      );
    }
  }

  accepted(
    session: Uint8Array,
    partition: number,
    clientSession: Uint8Array,
    sequence: number,
    { acceptMs, span }: Pick<OfferedShare, 'acceptMs' | 'span'>,
  ): void {
    this.acceptedShares.push({ session: toHex(session), partition });
    const key = `${batchKey(toHex(clientSession), sequence)}/${partition}`;
    const list = this.#accepted.get(key) ?? [];
    list.push({ session: toHex(session), acceptMs, mapEpoch: span.mapEpoch });
    this.#accepted.set(key, list);
  }

  /** Everything that any session accepted. */
  get allAcceptances(): Iterable<readonly Acceptance[]> {
    return this.#accepted.values();
  }

  acceptances(clientSession: string, sequence: number, partition: number): readonly Acceptance[] {
    return this.#accepted.get(`${batchKey(clientSession, sequence)}/${partition}`) ?? [];
  }
}

export function batchKey(clientSession: string, sequence: number): string {
  return `${clientSession}:${sequence}`;
}

export function pointKey(series: string, timeMs: number): string {
  return `${series}@${timeMs}`;
}

export interface SharePoint {
  readonly ref: number;
  readonly timeMs: number;
  /** Sum of a sketch, which is its only value. */
  readonly value: number;
  /** Number of values: 1, except for a merged sketch. */
  readonly count: number;
}

/** The points of a share; a distribution's are single values. */
export function pointsOf(share: Uint8Array): SharePoint[] {
  const points = new PointColumns();
  const sketches = new SketchColumns();
  decodeShare(share, points, sketches);
  const list: SharePoint[] = [];
  for (let i = 0; i < points.length; i++) {
    list.push({ ref: points.refs[i], timeMs: points.timesMs[i], value: points.values[i], count: 1 });
  }
  for (let i = 0; i < sketches.length; i++) {
    const { sum, count } = unpackSketch(sketches.payloads[i]);
    list.push({ ref: sketches.refs[i], timeMs: sketches.timesMs[i], value: sum, count });
  }
  return list;
}
