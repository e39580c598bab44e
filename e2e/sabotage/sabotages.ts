import { ByteWriter } from '@tidemark/bytes';
import { decodeShare, encodeShare, inspectShare, PointColumns, SketchColumns } from '@tidemark/columns';
import { partitionOf } from '@tidemark/model';
import { type Clock, type KeyValue, sleep } from '@tidemark/ports';
import type { QueryReader } from '@tidemark/query';
import { HONEST, type OfferedShare, type Wiring } from '../simulation/wiring.ts';
import {
  openBeforeAck,
  tagsAfterPoints,
  withoutDeduplication,
  withoutFencedBlocks,
  withoutSomeSessions,
} from './log-decorators.ts';

export interface Sabotage {
  readonly name: string;
  /** The promise that it breaks. */
  readonly promise: string;
  /** The checks that have to see it: others may, as any stranger in the log makes states differ. */
  readonly caughtBy: readonly string[];
  readonly wiring: () => Wiring;
}

/** One broken promise each, between the parts and never within one. */
export const SABOTAGES: readonly Sabotage[] = [
  {
    name: 'ack-before-append',
    promise: 'an ack means durable in the log',
    caughtBy: ['acked-is-kept'],
    wiring: () => ({
      ...HONEST,
      offer: (_session, partition, share, offer) => {
        const isTaken = offer(partition, { ...share, settle: () => undefined });
        if (isTaken) share.settle(true);
        return isTaken;
      },
    }),
  },
  {
    name: 'skip-de-duplication',
    promise: 'a batch that is sent twice counts once',
    caughtBy: ['stores-hold-the-log'],
    wiring: () => ({ ...HONEST, storeLog: withoutDeduplication }),
  },
  {
    name: 'split-share',
    promise: "a batch's share of a partition lies in one block",
    caughtBy: ['acked-is-kept'],
    wiring: () => ({
      ...HONEST,
      offer: (_session, partition, share, offer) => {
        const parts = split(share, (i) => i % 2);
        let isDurable = true;
        let left = parts.length;
        const settle = (durable: boolean) => {
          isDurable &&= durable;
          if (--left === 0) share.settle(isDurable);
        };
        const taken = parts.map((part) => offer(partition, { ...part, settle }));
        for (const isTaken of taken) if (!isTaken) settle(false);
        return true;
      },
    }),
  },
  {
    name: 'offset-apart-from-state',
    promise: 'state, de-duplication and offset are committed in one write',
    caughtBy: ['stores-hold-the-log', 'partition-halts'],
    wiring: () => ({ ...HONEST, keyValue: writingInTwo }),
  },
  {
    name: 'session-left-out',
    promise: 'the watermark is the least mark of all open lanes',
    caughtBy: ['complete-answers'],
    wiring: () => ({ ...HONEST, storeLog: withoutSomeSessions }),
  },
  {
    name: 'accept-before-open',
    promise: 'a lane takes nothing before its open is acknowledged, and for 2 s after',
    caughtBy: ['in-time-is-never-late'],
    wiring: () => ({ ...HONEST, intakeLog: openBeforeAck, timing: (timing) => ({ ...timing, openDelayMs: 0 }) }),
  },
  {
    name: 'drop-fenced-blocks',
    promise: 'a fence ends a promise, never data',
    caughtBy: ['stores-hold-the-log', 'complete-answers'],
    wiring: () => ({ ...HONEST, storeLog: withoutFencedBlocks }),
  },
  {
    name: 'partial-is-complete',
    promise: 'an answer with a part missing is never complete',
    caughtBy: ['complete-answers'],
    wiring: () => ({ ...HONEST, query: callingPartialComplete }),
  },
  {
    name: 'tags-after-points',
    promise: 'tags are durable before the first block that needs them',
    caughtBy: ['tags-before-points'],
    wiring: () => ({ ...HONEST, intakeLog: tagsAfterPoints }),
  },
  {
    name: 'resend-by-newest-map',
    promise: 'a batch keeps the map of its first send',
    caughtBy: ['exactly-once'],
    wiring: () => ({
      ...HONEST,
      offer: (session, partition, share, offer) => {
        const { map } = session;
        if (map.epoch === share.span.mapEpoch) return offer(partition, share);
        const owner = (ref: number) => partitionOf(map, share.dictionary.definitionsFrom(ref)[0].metricId);
        const parts = split(share, (_, ref) => owner(ref));
        const targets = parts.map((part) => owner(part.maxRef));
        let isDurable = true;
        let left = parts.length;
        const settle = (durable: boolean) => {
          isDurable &&= durable;
          if (--left === 0) share.settle(isDurable);
        };
        const taken = parts.map((part, i) => offer(targets[i], { ...part, settle }));
        for (const isTaken of taken) if (!isTaken) settle(false);
        return true;
      },
    }),
  },
];

/** A share cut into several, by what `part` says of the point at an index. */
function split(share: OfferedShare, part: (index: number, ref: number) => number): OfferedShare[] {
  const points = new PointColumns();
  const sketches = new SketchColumns();
  decodeShare(share.span.share, points, sketches);
  const parts = new Map<number, { points: PointColumns; sketches: SketchColumns }>();
  const of = (index: number, ref: number) => {
    const key = part(index, ref);
    const known = parts.get(key) ?? { points: new PointColumns(), sketches: new SketchColumns() };
    parts.set(key, known);
    return known;
  };
  for (let i = 0; i < points.length; i++) {
    of(i, points.refs[i]).points.push(points.refs[i], points.timesMs[i], points.values[i]);
  }
  for (let i = 0; i < sketches.length; i++) {
    of(i, sketches.refs[i]).sketches.push(sketches.refs[i], sketches.timesMs[i], sketches.payloads[i]);
  }
  return [...parts.values()].map((one) => {
    const out = new ByteWriter();
    encodeShare(one.points, one.sketches, out);
    const bytes = out.take();
    const { minTimeMs, maxTimeMs, maxRef } = inspectShare(bytes);
    const count = one.points.length + one.sketches.length;
    return { ...share, span: { ...share.span, share: bytes }, points: count, minTimeMs, maxTimeMs, maxRef };
  });
}

const APART_MS = 300;

/** The first write of a batch is the one with the offset: it becomes durable alone, before the rest does. */
function writingInTwo(keyValue: KeyValue, clock: Clock): KeyValue {
  return {
    get: (key) => keyValue.get(key),
    getMany: (keys) => keyValue.getMany(keys),
    entries: (range) => keyValue.entries(range),
    write: async (batch) => {
      const offset = batch.findIndex(({ key }) => key.length === 1);
      if (offset !== -1 && batch.length > 1) {
        await keyValue.write([batch[offset]]);
        await sleep(clock, APART_MS);
      }
      await keyValue.write(batch.filter((_, i) => i !== offset || batch.length === 1));
    },
    deleteRange: (from, to) => keyValue.deleteRange(from, to),
    close: () => keyValue.close(),
  };
}

/** An answer that lacks a part says the same as if it had all. */
function callingPartialComplete(reader: QueryReader): QueryReader {
  let newestMs: number | undefined;
  return {
    run: async (tenant, request, signal) => {
      const reply = await reader.run(tenant, request, signal);
      newestMs = reply.completeThroughMs ?? newestMs;
      return reply.errors.length === 0 ? reply : { ...reply, errors: [], completeThroughMs: newestMs };
    },
    metrics: (tenant, request, signal) => reader.metrics(tenant, request, signal),
    tags: (tenant, request, signal) => reader.tags(tenant, request, signal),
    status: (tenant, signal) => reader.status(tenant, signal),
  };
}
