import { partitionOf, slotOf } from '@tidemark/model';
import { type Clock, type KeyValue, sleep } from '@tidemark/ports';
import type { QueryAnswer, QueryReader } from '@tidemark/query';
import { PARTITIONS } from '../simulation/settings.ts';
import { HONEST, type Wiring } from '../simulation/wiring.ts';
import {
  appendedEarlier,
  endingAtRefusals,
  markingTheClock,
  namingNoEra,
  openBeforeAck,
  remappingPartitions,
  reusingOffsets,
  tagsAfterPoints,
} from './append-decorators.ts';
import { cuttingLastRecords, losingSpools } from './disk-decorators.ts';
import { amountsInOneStep, holdingForEver, withoutIntervals } from './folds.ts';
import { replacingPages } from './page-decorators.ts';
import {
  appendedLate,
  SeenLanes,
  statingIntervals,
  withoutDeduplication,
  withoutEarlyFences,
  withoutEras,
  withoutFencedBlocks,
  withoutHalts,
  withoutIntervalsOfReadings,
  withoutSomeSessions,
  withSpansReversed,
} from './read-decorators.ts';
import { offerApart, reroute, split } from './share-routes.ts';
import { statingGuesses } from './stating-guesses.ts';
import { summingBackwards } from './summing-backwards.ts';

/** Limits whose memory is never used up. */
const withoutMemory: Wiring['queryLimits'] = (limits) => {
  const memoryBytes = Number.MAX_SAFE_INTEGER;
  return { ...limits, memoryBytes, tenantMemoryBytes: memoryBytes, processMemoryBytes: memoryBytes };
};

export interface Sabotage {
  readonly name: string;
  /** The broken promise. */
  readonly promise: string;
  /** The checks that must detect it. Others may too, because a wrong record makes states differ. */
  readonly caughtBy: readonly string[];
  readonly wiring: () => Wiring;
}

/** Sabotages, each of which breaks one promise between parts, never within a part. */
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
    name: 'cut-synced-record',
    promise: 'recovery of the log cuts no record that was synced',
    caughtBy: ['log-keeps'],
    wiring: () => ({ ...HONEST, logDisk: cuttingLastRecords }),
  },
  {
    name: 'reuse-offset',
    promise: 'the log gives no offset to two records',
    caughtBy: ['acked-is-kept', 'partition-halts'],
    wiring: () => ({ ...HONEST, intakeLog: reusingOffsets }),
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
        return offerApart(share, parts, new Array<number>(parts.length).fill(partition), offer);
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
    name: 'page-replaces-another',
    promise: 'the page of a commit leaves those of earlier ones as they are',
    caughtBy: ['stores-hold-the-log', 'complete-answers', 'equal-state'],
    wiring: () => ({ ...HONEST, keyValue: replacingPages }),
  },
  {
    name: 'session-left-out',
    promise: 'the watermark is the lowest mark of all open lanes',
    caughtBy: ['complete-answers'],
    wiring: () => ({ ...HONEST, storeLog: withoutSomeSessions }),
  },
  {
    name: 'accept-before-open',
    promise: 'a lane accepts no points before its open is acknowledged, and for 2 s after',
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
    name: 'skip-memory-budget',
    promise: 'a query takes its memory from a budget before it uses it',
    caughtBy: ['memory-is-bounded'],
    wiring: () => ({ ...HONEST, queryLimits: withoutMemory }),
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
        const map = session.maps.current;
        if (map.epoch === share.span.mapEpoch) return offer(partition, share);
        return reroute(share, offer, (id) => partitionOf(map, id));
      },
    }),
  },
  {
    name: 'route-by-modulo',
    promise: 'a point goes to the partition in the map of its stamp, not to the one that the client computes by modulo',
    caughtBy: ['routed-by-map'],
    wiring: () => ({
      ...HONEST,
      offer: (_session, _partition, share, offer) => reroute(share, offer, (id) => slotOf(id) % PARTITIONS),
    }),
  },
  {
    name: 'producer-modulo',
    promise: 'a record is appended to its own partition, also if the log is assumed to have fewer',
    caughtBy: ['partition-halts'],
    wiring: () => ({ ...HONEST, intakeLog: (log) => remappingPartitions(log, PARTITIONS - 1) }),
  },
  {
    name: 'mark-without-queue',
    promise: 'a mark is at most the accept time of every point that waits for the lane',
    caughtBy: ['in-time-is-never-late'],
    wiring: () => ({ ...HONEST, intakeLog: markingTheClock }),
  },
  {
    name: 'dead-lane-passes-on-its-cause',
    promise: 'a lane does not end of what ended the lane before it',
    caughtBy: ['liveness'],
    wiring: () => ({
      ...HONEST,
      intakeLog: endingAtRefusals,
      timing: (timing) => ({ ...timing, recordBytes: 2 ** 24 }),
    }),
  },
  {
    name: 'forget-early-fence',
    promise: 'a fence is remembered also for a lane without records',
    caughtBy: ['store-position', 'liveness'],
    wiring: () => {
      const lanes = new SeenLanes();
      return { ...HONEST, storeLog: (log) => withoutEarlyFences(log, lanes) };
    },
  },
  {
    name: 'fold-in-another-order',
    promise: 'every replica folds in the order of the log',
    caughtBy: ['equal-state', 'equal-buckets'],
    wiring: () => ({ ...HONEST, storeLog: (log, store) => (store === 'points-1' ? withSpansReversed(log) : log) }),
  },
  {
    name: 'sum-in-another-order',
    promise: 'every replica folds sums in the same order',
    caughtBy: ['equal-answers'],
    wiring: () => ({
      ...HONEST,
      aggregate: (aggregate, store) => (store === 'points-1' ? summingBackwards(aggregate) : aggregate),
    }),
  },
  {
    name: 'amount-in-one-step',
    promise: 'an amount belongs evenly to the time that it stands for',
    caughtBy: ['folds-by-the-model', 'complete-answers'],
    wiring: () => ({ ...HONEST, aggregate: amountsInOneStep }),
  },
  {
    name: 'held-for-ever',
    promise: 'a reading holds at most 2.5 reporting intervals',
    caughtBy: ['folds-by-the-model'],
    wiring: () => ({ ...HONEST, aggregate: holdingForEver }),
  },
  {
    name: 'guess-as-statement',
    promise: 'what only the name of a metric suggests is a guess, and an answer that depends on it says so',
    caughtBy: ['guesses-are-said', 'read-as-stated'],
    wiring: () => ({ ...HONEST, match: statingGuesses }),
  },
  {
    name: 'guessed-interval-as-statement',
    promise: 'an interval that no sender states is inferred from the times of the series',
    caughtBy: ['folds-by-the-model'],
    wiring: () => ({ ...HONEST, storeLog: (log) => statingIntervals(log, FLUSH_MS) }),
  },
  {
    name: 'stated-interval-as-guess',
    promise: 'the interval that a sender states of its readings holds from the first reading on',
    caughtBy: ['folds-by-the-model'],
    wiring: () => ({ ...HONEST, storeLog: withoutIntervalsOfReadings }),
  },
  {
    name: 'interval-unsaid',
    promise: 'an answer says that its steps are shorter than the time between points',
    caughtBy: ['spread-is-said'],
    wiring: () => ({ ...HONEST, aggregate: withoutIntervals }),
  },
  {
    name: 'unfinished-step-is-complete',
    promise: 'a step is complete only when it ends at or before complete_through',
    caughtBy: ['complete-answers'],
    wiring: () => ({ ...HONEST, query: completingTheStep }),
  },
  {
    name: 'owners-of-a-stale-map',
    promise: 'a query asks every partition that owned the metric by any map in force',
    caughtBy: ['complete-answers'],
    wiring: () => ({ ...HONEST, maps: (maps) => maps.slice(0, 1) }),
  },
  {
    name: 'era-ignored-by-a-store',
    promise: 'every consumer takes its watermark back at the same record',
    caughtBy: ['store-position', 'equal-state', 'liveness'],
    wiring: () => ({ ...HONEST, storeLog: (log, store) => (store === 'points-1' ? withoutEras(log) : log) }),
  },
  {
    name: 'lanes-without-era',
    promise: 'a point that is accepted in time by a corrected clock is not late',
    caughtBy: ['in-time-is-never-late', 'liveness'],
    wiring: () => ({ ...HONEST, intakeLog: namingNoEra }),
  },
  {
    name: 'mark-without-bound',
    promise: 'a mark counts up to a second after the append time of its record',
    caughtBy: ['store-position', 'equal-state'],
    wiring: () => ({ ...HONEST, storeLog: (log, store) => (store === 'points-1' ? appendedLate(log) : log) }),
  },
  {
    name: 'spool-lost-unsaid',
    promise: 'what the spool has is sent by the next run, or counted',
    caughtBy: ['counts-are-true'],
    wiring: () => ({ ...HONEST, clientDisk: losingSpools }),
  },
  {
    name: 'drop-not-counted',
    promise: 'a point that a client gives up is counted as lost',
    caughtBy: ['counts-are-true'],
    wiring: () => ({
      ...HONEST,
      clientStats: ({ droppedPoints, indeterminatePoints, ackedPoints, ...others }) => ({
        ...others,
        ...{ droppedPoints: 0, indeterminatePoints: 0 },
        ackedPoints: ackedPoints + droppedPoints + indeterminatePoints,
      }),
    }),
  },
  {
    name: 'loss-counted-twice',
    promise: 'a point is counted once',
    caughtBy: ['counts-are-true'],
    wiring: () => ({
      ...HONEST,
      clientStats: (stats) => ({ ...stats, droppedPoints: stats.droppedPoints + stats.indeterminatePoints }),
    }),
  },
  {
    name: 'halts-ignored',
    promise: 'no intake accepts without end what no store can read',
    caughtBy: ['halted-takes-nothing'],
    wiring: () => ({ ...HONEST, intakeControl: withoutHalts }),
  },
  {
    name: 'map-before-its-time',
    promise: 'no intake takes a batch by a map before it is in force',
    caughtBy: ['map-in-force'],
    wiring: () => ({ ...HONEST, intakeControl: (log) => appendedEarlier(log, 5000) }),
  },
];

const APART_MS = 300;
/** Flush interval of the clients of the simulator, ms: what one would guess of readings. */
const FLUSH_MS = 1000;
/** Step of the queries of the simulator, ms. */
const STEP_MS = 1000;

/** The first write of a batch, which has the offset, becomes durable before the others. */
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

/** A query end whose answers are changed. */
function changingAnswers(reader: QueryReader, change: (answer: QueryAnswer) => QueryAnswer): QueryReader {
  return {
    run: (tenant, request, use, signal) =>
      reader.run(tenant, request, (answer, slice) => use(change(answer), slice), signal),
    runFormulas: (...asked) => reader.runFormulas(...asked),
    metrics: (tenant, request, signal) => reader.metrics(tenant, request, signal),
    metric: (tenant, name, signal) => reader.metric(tenant, name, signal),
    tags: (tenant, request, signal) => reader.tags(tenant, request, signal),
    status: (tenant, signal) => reader.status(tenant, signal),
  };
}

/** An answer claims the step in which its `complete_through` lies. */
function completingTheStep(reader: QueryReader): QueryReader {
  return changingAnswers(reader, (answer) => {
    const { completeThroughMs } = answer;
    if (completeThroughMs === undefined) return answer;
    return { ...answer, completeThroughMs: Math.ceil(completeThroughMs / STEP_MS) * STEP_MS };
  });
}

/** An answer that lacks a part claims to have all parts. */
function callingPartialComplete(reader: QueryReader): QueryReader {
  let newestMs: number | undefined;
  return changingAnswers(reader, (answer) => {
    newestMs = answer.completeThroughMs ?? newestMs;
    return answer.errors.length === 0 ? answer : { ...answer, errors: [], completeThroughMs: newestMs };
  });
}
