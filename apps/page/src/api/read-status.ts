import type {
  ClientSource,
  ClientStatus,
  HeldMemory,
  LaneStatus,
  MemoryPart,
  PartitionStatus,
  PipelineStatus,
  PointPartitionStatus,
  RefusedData,
  SessionStatus,
  TagPartitionStatus,
  ThreadDelay,
} from './api-types.ts';
import { flag, JsonReader, listOf, number, numberIfKnown, objectOf, type ReadField, text } from './json-reader.ts';
import { readGap, readPartErrors } from './read-answers.ts';

/** A time, ms; undefined where it is 0, as protobuf omits what is not known. */
const timeIfKnown: ReadField<number | undefined> = (reader, name) => reader.number(name) || undefined;
const textsByName: ReadField<Readonly<Record<string, string>>> = (reader, name) => reader.textsByName(name);

const readLane = objectOf<LaneStatus>({ session: text, lane: number, open: flag, markMs: number, sequence: number });

const readClient = objectOf<ClientStatus>({
  ...{ clientSession: text, tenant: text, floor: number, highestSequence: number },
  ...{ frontierMs: numberIfKnown, latePoints: number },
});

const PARTITION = {
  ...{ partition: number, offset: number, committedOffset: number, logNext: number },
  ...{ gaps: listOf(readGap), halted: text, haltedOffset: number },
} satisfies { readonly [Name in keyof PartitionStatus]: ReadField<PartitionStatus[Name]> };

const readMemory = objectOf<MemoryPart>({ part: text, bytes: number });

const readPointPartition = objectOf<PointPartitionStatus>({
  ...PARTITION,
  ...{
    watermarkMs: numberIfKnown,
    coveredWatermarkMs: numberIfKnown,
    lanes: listOf(readLane),
    clients: listOf(readClient),
  },
  ...{ series: number, points: number, latePoints: number, duplicatePoints: number },
  memory: listOf(readMemory),
});

const readTagPartition = objectOf<TagPartitionStatus>({
  ...PARTITION,
  series: number,
  metrics: number,
  memory: listOf(readMemory),
});

const readRefused = objectOf<RefusedData>({
  ...{ stage: text, client: text, reason: text, count: number, example: text },
  ...{ sinceMs: timeIfKnown, lastMs: timeIfKnown },
});

const readSource = objectOf<ClientSource>({ client: text, name: text, problem: text, sinceMs: number });

const readSession = objectOf<SessionStatus>({
  ...{ session: text, process: text, state: text, renewedMs: number, streams: number, queuedBytes: number },
  ...{ clientNames: textsByName, formerClientNames: textsByName, refused: listOf(readRefused) },
  sources: listOf(readSource),
  rejectedPoints: (reader, name) => reader.counts(name),
  unknownReason: (reader) => reader.text('not_told'),
});

const readThread = objectOf<ThreadDelay>({
  ...{ thread: text, windowMaxMs: number, windowP99Ms: number, maxMs: number, p99Ms: number, maxAtMs: timeIfKnown },
  ...{ lateMs: numberIfKnown, lateAtMs: numberIfKnown },
});

const readHolder = objectOf<HeldMemory>({ holder: text, parts: listOf(readMemory) });

const readAnswer = objectOf<PipelineStatus>({
  ...{ points: listOf(readPointPartition), tags: listOf(readTagPartition), sessions: listOf(readSession) },
  ...{ latenessMs: number, nowMs: number, errors: readPartErrors, mapEpoch: number, forOperator: flag },
  threads: listOf(readThread),
  memory: listOf(readHolder),
});

/** Reads the answer of `/api/tidemark/v1/status`: `StatusReply` of the contract, ids in hex. */
export function readStatus(json: unknown): PipelineStatus {
  const { points, tags, ...status } = readAnswer(new JsonReader(json));
  return { ...status, points: points.toSorted(byPartition), tags: tags.toSorted(byPartition) };
}

function byPartition(a: PartitionStatus, b: PartitionStatus): number {
  return a.partition - b.partition;
}
