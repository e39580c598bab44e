import { type IdHash, toHex } from '@tidemark/bytes';
import { type ConsumedState, LogConsumer, LogMemory } from '@tidemark/log-consumer';
import { SystemRandom, yieldTurn } from '@tidemark/node-runtime';
import type { PageCodec } from '@tidemark/point-store';
import { type Clock, isTidemarkError, type TidemarkError, type Topic } from '@tidemark/ports';
import type { RocksDbKeyValue } from '@tidemark/rocksdb';
import { type DatabasePlace, databaseName } from './damaged-database.ts';
import { STORE_KINDS, type StorePartition } from './store-kinds.ts';
import type { StoreLogReader } from './store-log.ts';
import type { FromStore, StoreWorkerOptions } from './store-messages.ts';
import { SnapshotTrimPoint, TableTrimPoint, type TrimmableLog, type TrimPoint } from './trim-point.ts';

/** Of the random name of each opening of a database. */
const INSTANCE_BYTES = 12;
/** Over a log whose segments are not known here, a database makes tables of its commits so often. */
const FLUSH_STEP_MS = 60_000;

/** The store of a partition, and the consumer that reads the log into it. */
export interface ConsumedStore {
  readonly topic: Topic;
  readonly store: Omit<StorePartition, 'state'>;
  readonly consumer: Pick<LogConsumer, 'position'> & Partial<Pick<LogConsumer, 'start' | 'stop' | 'halt' | 'caughtUp'>>;
  /** Absent for a store without one. */
  readonly database?: RocksDbKeyValue;
  /** Of a store with a database. */
  readonly copied?: CopiedDatabase;
  /** Damage of the database that was found. */
  damage?: TidemarkError;
  /** True while the store has less than its damaged predecessor had. */
  isRebuilding: boolean;
}

/** What copies of an open database need. */
export interface CopiedDatabase {
  /** Random name of this opening of the database, hex. */
  readonly instance: string;
  /** What it has of the log. */
  readonly memory: LogMemory | undefined;
  readonly committed: Committed;
  /** Where snapshots are made at intervals. */
  readonly snapshotPoint: SnapshotTrimPoint | undefined;
}

/** What a store had at its last commit. */
export interface Committed {
  watermarkMs: number | undefined;
}

/** The consumer of a store that reads nothing. */
export const NO_CONSUMER = {
  position: { logNext: 0, logId: undefined, halted: '', haltedOffset: -1, problem: '' },
} as const;

/** What the stores of a thread share. */
export interface SharedContext {
  readonly clock: Clock;
  readonly options: Pick<StoreWorkerOptions, 'limits' | 'latenessMs'>;
  readonly idHash: IdHash;
  readonly pageCodec: PageCodec;
}

/** What a store has of its thread. The functions are about this store. */
export interface StoreContext extends SharedContext {
  readonly options: StoreWorkerOptions;
  readonly log: StoreLogReader;
  /** Segments of the embedded log, undefined until they are known. */
  readonly segments: () => TrimmableLog | undefined;
  /** Why an operator has the record at an offset passed, undefined where none does. */
  readonly skipReason: (offset: number) => string | undefined;
  /** What is done about a halt below the log's start, if it is known. */
  readonly lossText: () => string | undefined;
  readonly isReplacing: () => boolean;
  /** Called when the log begins above the end of the database. */
  readonly onTrimmed: (error: TidemarkError) => void;
  /** Called when a commit found damage. */
  readonly onDamage: (error: TidemarkError) => void;
  readonly onCaughtUp: () => void;
  readonly send: (message: FromStore) => void;
}

/** Opens the store of a database. Its consumer reads from its `start` on. Errors: those of the store and the database. */
export async function openConsumedStore(
  place: DatabasePlace,
  keyValue: RocksDbKeyValue,
  context: StoreContext,
): Promise<ConsumedStore> {
  const { partition, topic } = place;
  const { clock, options, segments, lossText, send } = context;
  const instance = new SystemRandom().bytes(INSTANCE_BYTES);
  const store = await openStore(place, keyValue, context, instance);
  const isEmbedded = options.log.kind === 'embedded';
  // Over Kafka the file LOG-ID of the folder has the id of the topic.
  const memory = isEmbedded ? await LogMemory.load(keyValue) : undefined;
  const { committedOffset } = store.state;
  const log = isEmbedded ? segments : oncePerStep(clock);
  const snapshotPoint = options.hasSnapshots ? new SnapshotTrimPoint(log) : undefined;
  const trimPoint = snapshotPoint ?? new TableTrimPoint(committedOffset, () => keyValue.flush(), log);
  const damage = walDamageText(keyValue);
  const watermarkMs = (): number | undefined => store.position(NO_CONSUMER).watermarkMs;
  const committed: Committed = { watermarkMs: watermarkMs() };
  const state = announced(store.state, place, { trimPoint, committed, watermarkMs }, context);
  const consumer = consumerOf(state, place, memory, damage, context);
  send({ type: 'opened', topic, partition, offset: committedOffset, logId: memory?.id });
  if (snapshotPoint === undefined) send({ type: 'trimmable', topic, partition, offset: committedOffset });
  if (damage !== undefined) send({ type: 'rereading', topic, partition, offset: committedOffset, reason: damage });
  return {
    ...{ topic, store, database: keyValue },
    consumer: withPosition(consumer, trimPoint, lossText),
    copied: { instance: toHex(instance), memory, committed, snapshotPoint },
    isRebuilding: false,
  };
}

/** Opens what a database has. `instance` is random bytes of this opening. Errors: those of the store and the database. */
export function openStore(
  { kind, partition }: DatabasePlace,
  keyValue: RocksDbKeyValue,
  { clock, options, idHash, pageCodec }: SharedContext,
  instance = new SystemRandom().bytes(INSTANCE_BYTES),
): Promise<StorePartition> {
  const slicing = { clock, yieldTurn };
  return STORE_KINDS[kind].open({ partition, keyValue, slicing, options, idHash, pageCodec, instance });
}

/** For a log whose segments are not known. Its trimmer asks for positions, so no trim is repeated here. */
function oncePerStep(clock: Clock): () => TrimmableLog {
  let flushedMs = Number.NEGATIVE_INFINITY;
  const canTrimMore = (): boolean => {
    const nowMs = clock.monotonicMs();
    if (nowMs - flushedMs < FLUSH_STEP_MS) return false;
    flushedMs = nowMs;
    return true;
  };
  return () => ({ canTrim: () => false, canTrimMore });
}

interface Commits {
  readonly trimPoint: TrimPoint;
  /** Kept up to date. */
  readonly committed: Committed;
  /** Of what is applied. */
  readonly watermarkMs: () => number | undefined;
}

/** A state whose commits announce how far the log may be trimmed. */
function announced(
  state: ConsumedState,
  { partition, topic }: DatabasePlace,
  { trimPoint, committed, watermarkMs }: Commits,
  { isReplacing, send }: StoreContext,
): ConsumedState {
  return {
    get nextOffset() {
      return state.nextOffset;
    },
    get committedOffset() {
      return state.committedOffset;
    },
    get wantsCommit() {
      return state.wantsCommit;
    },
    apply: (record) => state.apply(record),
    skip: (reason, lost) => state.skip(reason, lost),
    stop: async () => state.stop?.(),
    commit: async () => {
      const appliedMs = watermarkMs();
      await state.commit();
      committed.watermarkMs = appliedMs;
      // The log is trimmed below the trim point, and must stay whole for the database that replaces this one. Where it is not
      // replaced, the next commit moves the point.
      if (isReplacing()) return;
      const isTrimDue = await trimPoint.committed(state.committedOffset);
      if (isTrimDue && !isReplacing()) send({ type: 'trimmable', topic, partition, offset: trimPoint.offset });
    },
  };
}

function consumerOf(
  state: ConsumedState,
  place: DatabasePlace,
  memory: LogMemory | undefined,
  damage: string | undefined,
  { log, clock, skipReason, onTrimmed, onDamage, onCaughtUp, send }: StoreContext,
): LogConsumer {
  const { partition, topic, folder } = place;
  return new LogConsumer({
    ...{ log, topic, partition, state, clock, yieldTurn, skipReason },
    ...(memory && { memory }),
    database: { name: databaseName(place), folder, damage },
    onHalt: (halt) => {
      if (halt === undefined) send({ type: 'resumed', topic, partition });
      else if (halt.cause === 'trimmed') onTrimmed(halt.error);
      else send({ type: 'halted', topic, partition, offset: halt.offset, reason: halt.error.message });
    },
    onCaughtUp: () => {
      onCaughtUp();
      send({ type: 'caughtUp', topic, partition });
    },
    onProblem: (found) => {
      const problem = found && { code: found.error.code, message: found.error.message, during: found.during };
      send({ type: 'problem', topic, partition, problem });
      if (isTidemarkError(found?.error, 'data_loss')) onDamage(found.error);
    },
  });
}

function walDamageText({ walDamage }: RocksDbKeyValue): string | undefined {
  return walDamage && `its file ${walDamage.file} can't be read from offset ${walDamage.offset} on: ${walDamage.what}`;
}

/** A consumer whose position says also how far the log may be trimmed, and what is done about a trimmed halt. */
function withPosition(
  consumer: LogConsumer,
  trimPoint: TrimPoint,
  lossText: () => string | undefined,
): ConsumedStore['consumer'] {
  return {
    get position() {
      const { position, halt } = consumer;
      const text = halt?.cause === 'trimmed' ? lossText() : undefined;
      return { ...position, ...(text !== undefined && { halted: text }), trimOffset: trimPoint.offset };
    },
    get halt() {
      return consumer.halt;
    },
    start: () => consumer.start(),
    stop: () => consumer.stop(),
    caughtUp: () => consumer.caughtUp(),
  };
}
