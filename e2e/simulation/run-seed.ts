import { decodeControl } from '@tidemark/control-log';
import { decodeRecord, RECORD } from '@tidemark/point-records';
import { isTidemarkError } from '@tidemark/ports';
import type { FaultCount } from '@tidemark/simulation';
import { Chaos } from './chaos.ts';
import { Cluster } from './cluster.ts';
import { ContentCheck } from './content-check.ts';
import { CountCheck } from './count-check.ts';
import { FoldCheck } from './fold-check.ts';
import { MeaningCheck } from './meaning-check.ts';
import { checkMemory } from './memory-check.ts';
import { Operator } from './operator.ts';
import { PlainConsumer } from './plain-consumer.ts';
import { QueryCheck } from './query-check.ts';
import { RetentionCheck } from './retention-check.ts';
import { LATENESS_MS, PARTITIONS } from './settings.ts';
import { StoreCheck } from './store-check.ts';
import { Violation } from './violation.ts';
import { HONEST, type Wiring } from './wiring.ts';

/** Duration of the faults, ms of simulated time. */
const CHAOS_MS = 75_000;
/** Time limit to settle after the faults, ms of simulated time. Time that passes until the operator acts does not count. */
const DRAIN_MS = 90_000;
const STEP_MS = 500;
/** Max time by which a watermark may be ahead once all clocks are right, ms. */
const AHEAD_MS = 5000;

/** Error that ends a run that has already failed. */
const STOPPED = new Error('stopped');

export interface SeedResult {
  readonly seed: number;
  /** Violations in their order; empty in a clean run. */
  readonly violations: readonly { readonly check: string; readonly message: string }[];
  readonly faults: Record<string, FaultCount>;
  readonly checked: Record<string, number>;
  readonly trace: string;
}

/** Plays one seed from start to end. Equal seeds give equal results, independent of earlier runs. */
export async function runSeed(
  seed: number,
  wiring: Wiring = HONEST,
  options: { readonly chaosMs?: number } = {},
): Promise<SeedResult> {
  const run = new SeedRun(seed, wiring, options.chaosMs ?? CHAOS_MS);
  const onRejection = (error: unknown) => run.cluster.fail(error);
  process.on('unhandledRejection', onRejection);
  try {
    await run.play();
  } catch (error) {
    if (error !== STOPPED) run.cluster.fail(error);
  } finally {
    run.end();
    process.off('unhandledRejection', onRejection);
  }
  return run.result(seed);
}

class SeedRun {
  readonly cluster: Cluster;
  readonly #chaos: Chaos;
  readonly #queries: QueryCheck;
  readonly #stores: StoreCheck;
  readonly #content: ContentCheck;
  readonly #counts: CountCheck;
  readonly #folds: FoldCheck;
  readonly #meaning: MeaningCheck;
  readonly #retention: RetentionCheck;
  readonly #plain: PlainConsumer[];
  readonly #operator: Operator;
  readonly #chaosMs: number;

  constructor(seed: number, wiring: Wiring, chaosMs: number) {
    this.#chaosMs = chaosMs;
    this.cluster = new Cluster(seed, wiring);
    const { cluster } = this;
    this.#chaos = new Chaos(cluster);
    this.#operator = new Operator(cluster);
    this.#retention = new RetentionCheck(cluster);
    this.#queries = new QueryCheck(cluster, this.#retention);
    this.#stores = new StoreCheck(cluster, this.cluster.truth);
    this.#content = new ContentCheck(cluster, this.cluster.truth, this.#retention);
    this.#counts = new CountCheck(cluster);
    this.#folds = new FoldCheck(cluster, this.#retention);
    this.#meaning = new MeaningCheck(cluster, this.#retention);
    this.#plain = Array.from({ length: PARTITIONS }, (_, partition) => {
      return new PlainConsumer({ partition, latenessMs: LATENESS_MS, ledger: cluster.ledger });
    });
  }

  async play(): Promise<void> {
    const { cluster } = this;
    cluster.world.faults.stop();
    cluster.start();
    // All nodes are ready before the first fault.
    await this.#pass(6000);
    cluster.world.faults.resume();
    this.#chaos.start();
    await this.#pass(this.#chaosMs);
    this.#chaos.stop();
    await this.#drain();
    await this.#checkEnd();
  }

  /** Advances time, with queries and checks. */
  async #pass(durationMs: number): Promise<void> {
    const { clock } = this.cluster.world;
    const endMs = clock.monotonicMs() + durationMs;
    while (clock.monotonicMs() < endMs) await this.#step();
  }

  async #step(): Promise<void> {
    const { cluster } = this;
    this.#queries.ask().catch(cluster.fail);
    this.#meaning.ask().catch(cluster.fail);
    this.#stores.check();
    this.#stores.sample().catch(cluster.fail);
    this.#stores.compareAnswers().catch(cluster.fail);
    cluster.replaceDeposed();
    cluster.finishMoves();
    await cluster.world.clock.advance(STEP_MS);
    this.#readControl();
    cluster.checkHalts();
    this.#operator.act();
    if (cluster.failures.length > 0) throw STOPPED;
  }

  /** Reads all of `points` without the records that no store has applied: which these are is known only at the end. */
  #readPoints(): void {
    const { copy } = this.cluster;
    for (const [partition, plain] of this.#plain.entries()) {
      const records = copy.of('points', partition);
      const timesMs = copy.timesMs('points', partition);
      for (let offset = plain.offset; offset < records.length; offset++) {
        if (!copy.isPassed('points', partition, offset)) plain.apply(records[offset], timesMs[offset]);
        else plain.pass(copy.lostRecord('points', partition, offset));
      }
    }
  }

  #readControl(): void {
    const { copy } = this.cluster;
    const records = copy.of('control', 0);
    const timesMs = copy.timesMs('control', 0);
    for (let offset = this.cluster.truth.nextOffset; offset < records.length; offset++) {
      this.cluster.truth.apply(decodeControl(records[offset]), offset, timesMs[offset]);
    }
  }

  /** Stops the clients' recording. Everything must settle, and completeness must advance. */
  async #drain(): Promise<void> {
    const healedWallMs = this.cluster.world.clock.wallMs();
    let takenMs = 0;
    for (;;) {
      await this.#step();
      if (!this.#operator.isAwaited) takenMs += STEP_MS;
      for (const { host } of this.cluster.clients) host?.stopRecording();
      const problem = this.#unrest(healedWallMs);
      if (problem === undefined) return;
      if (takenMs > DRAIN_MS) {
        throw new Violation('liveness', `${DRAIN_MS / 1000} s and the operator's delays after all is well: ${problem}`);
      }
    }
  }

  /** Describes what is not settled yet. */
  #unrest(healedWallMs: number): string | undefined {
    const { supervised, clients, stores, copy, world } = this.cluster;
    const { clock } = world;
    for (const { name, host } of supervised) if (host === undefined) return `${name} is not up`;
    for (const { name, host } of clients) {
      const pending = host?.client.stats().pendingPoints ?? 0;
      if (pending > 0) return `${name} has ${pending} points that are not settled: ${host?.client.lastError?.message}`;
    }
    if (this.cluster.movesUnderWay > 0) return `${this.cluster.movesUnderWay} replicas are still moving`;
    if (this.#operator.hasWork) return 'a replica is halted';
    for (const { name, host } of stores) {
      for (const [partition, store] of host?.points ?? []) {
        const behind = copy.of('points', partition).length - store.nextOffset;
        if (behind > 3) return `${name} is ${behind} records of points/${partition} behind`;
        const { watermarkMs = 0, gaps } = store.status;
        const own = gaps.filter((gap) => gap.topic === 'points' && gap.partition === partition);
        const isLost = (at: number) => own.some(({ offset, records = 0 }) => at >= offset && at < offset + records);
        // A partition without slots in any map gets no lanes, but it may get strange records, and fences of sessions.
        const isUsed = copy.of('points', partition).some((value, at) => !isLost(at) && isOfLane(value));
        const isBack = watermarkMs <= clock.wallMs() + AHEAD_MS;
        if (isUsed && !(watermarkMs > healedWallMs + 5000 && isBack)) {
          return `the watermark of points/${partition} in ${name} is ${watermarkMs - healedWallMs} ms from the healing`;
        }
      }
      for (const [partition, store] of host?.tags ?? []) {
        if (store.nextOffset < copy.of('tags', partition).length) return `${name} is behind in tags/${partition}`;
      }
    }
    return undefined;
  }

  async #checkEnd(): Promise<void> {
    const { cluster } = this;
    // Sessions close cleanly. The records that they append are part of the log too.
    const closing = cluster.intakes.map(({ host }) => host?.stop());
    let isClosed = false;
    Promise.all(closing).then(() => {
      isClosed = true;
    }, cluster.fail);
    // A late append of a lane that has ended is part of the log, too.
    while (!isClosed || cluster.world.network.lateRequests > 0) await this.#step();
    await this.#pass(3000);
    this.#readPoints();
    const openLanes = this.#plain.reduce((sum, plain) => sum + plain.openLanes, 0);
    if (openLanes > 0) throw new Violation('liveness', `${openLanes} lanes are open after all intakes have left`);
    const applied = this.#plain.flatMap((plain) => plain.applied);
    const lost = new Set(this.#plain.flatMap((plain) => [...plain.lostValues]));
    await this.#check(() => this.#content.checkLog(applied, lost));
    await this.#check(() => this.#counts.check(applied, lost));
    await this.#check(() => this.#content.checkRoutes(applied));
    await this.#check(() => this.#content.checkMaps());
    await this.#check(() => this.#content.checkTags(this.#plain));
    await this.#check(() => this.#retention.check(this.#plain, applied));
    await this.#check(() => this.#queries.check(applied));
    this.#stores.countBuckets();
    await this.#check(() => this.#stores.checkPositions(this.#plain));
    await this.#check(() => this.#stores.checkCloses(this.#plain));
    await this.#check(() => this.#content.checkStores(applied));
    await this.#check(() => this.#folds.check(applied));
    await this.#check(() => this.#meaning.check(applied));
    await this.#check(() => checkMemory(cluster));
    for (const node of cluster.stores) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        await this.#check(() => this.#stores.sampleOf(node, partition));
      }
    }
    await this.#check(() => this.#stores.checkReplay());
  }

  /** Runs one of the last checks. A violation does not prevent the other checks. */
  async #check(check: () => void | Promise<void>): Promise<void> {
    const { world, fail } = this.cluster;
    let isDone = false;
    const run = async () => check();
    run()
      .catch(fail)
      .finally(() => {
        isDone = true;
      });
    await world.clock.run(() => isDone, 600_000);
  }

  /** Counts how often each part of the protocol was used: an unused part was not tested. */
  #mechanisms(): Record<string, number> {
    const { copy, ledger, logTrims, storeCounts, intakeStops, replicaMoves, queryCounters, recordSize } = this.cluster;
    const messages = copy.of('control', 0).map((value) => decodeControl(value));
    const fences = messages.flatMap((message) => (message.$case === 'fence' ? [message.value] : []));
    return {
      sessions: ledger.sessions,
      'session fences': fences.filter(({ lane }) => lane === undefined).length,
      'lane fences': fences.filter(({ lane }) => lane !== undefined).length,
      terms: messages.filter(({ $case }) => $case === 'term').length,
      maps: this.cluster.truth.maps.size,
      eras: this.cluster.truth.eras.list.length,
      'decisions that were void': messages.filter(({ $case }) => $case === 'map').length - this.cluster.truth.maps.size,
      'fences before their lane': this.#sum((plain) => plain.earlyFences),
      'opens after their fence': this.#sum((plain) => plain.openedFenced),
      'blocks after their fence': this.#sum((plain) => plain.blocksOfFenced),
      'blocks of earlier eras': this.#sum((plain) => plain.blocksOfEarlierEras),
      'records refused by size': recordSize.refused,
      'definitions ahead of points': this.#sum((plain) => plain.definitionsAhead),
      'client sessions': this.#sum((plain) => plain.clientSessions),
      'shares of several intakes': this.#content.severalIntakes,
      'shares by an older map': this.#content.olderMaps,
      halts: messages.filter((message) => message.$case === 'halt' && message.value.halted).length,
      'records skipped': this.#operator.skips,
      'replicas built again': this.#operator.rebuilds,
      'shares refused while halted': ledger.haltedShares,
      'points lost with their records': this.#sum((plain) => plain.lostValues.size),
      'log trims': logTrims.count,
      'buckets closed': this.#stores.bucketsClosed,
      'bucket hashes compared': this.#stores.bucketHashes,
      'requests hedged': queryCounters.reduce((sum, { hedges }) => sum + hedges, 0),
      'requests failed over': queryCounters.reduce((sum, { failovers }) => sum + failovers, 0),
      'intakes left in order': intakeStops.count,
      'replicas moved': replicaMoves.count,
      'replicas copied': storeCounts.copied,
      'replicas replayed': storeCounts.replayed,
      'replicas resumed': storeCounts.resumed,
      'closes begun again': storeCounts.closing,
    };
  }

  /** Points whose bucket a store had closed when it read them. */
  #behindClosed({ applied, positions }: PlainConsumer): number {
    const { bucketMs, commitStepMs } = this.cluster.pointLimits;
    return applied.filter(({ timeMs, offset }) => {
      const endMs = (Math.floor(timeMs / bucketMs) + 1) * bucketMs;
      return (positions[offset - 1]?.watermarkMs ?? 0) >= endMs + commitStepMs;
    }).length;
  }

  #sum(count: (plain: PlainConsumer) => number): number {
    return this.#plain.reduce((sum, plain) => sum + count(plain), 0);
  }

  end(): void {
    const { supervised, coordinators } = this.cluster;
    for (const node of [...supervised, ...coordinators]) node.crash('process');
  }

  result(seed: number): SeedResult {
    const { cluster } = this;
    const { failures, world, ledger } = cluster;
    return {
      seed,
      violations: failures.map(describe),
      faults: world.faults.counts(),
      checked: {
        'points recorded': ledger.recorded.size,
        'points acknowledged': this.#content.ackedPoints,
        'points in the log': this.#content.appliedPoints,
        'points of equal time': this.#content.equalTimes,
        'points lost and counted': this.#counts.gone,
        'points counted as indeterminate': this.#counts.indeterminate,
        'points missing': this.#counts.missing,
        'points that expired': this.#retention.expired,
        'points behind closed buckets': this.#sum((plain) => this.#behindClosed(plain)),
        'late points': this.#sum(({ positions }) => positions.at(-1)?.latePoints ?? 0),
        'duplicates dropped': this.#sum(({ positions }) => positions.at(-1)?.duplicatePoints ?? 0),
        'batches sent again': ledger.resends,
        'values read back': this.#content.valuesRead,
        'folded steps': this.#folds.steps,
        'answers that name a guess': this.#meaning.guesses,
        'answers by a statement': this.#meaning.statements,
        'answers that spread points': this.#meaning.spread,
        'series and days by tags': this.#content.tagNeeds,
        queries: this.#queries.asked,
        'partial answers': this.#queries.partial,
        'answers of several owners': this.#queries.severalOwners,
        'answers held by maps': this.#queries.heldByMaps,
        'answers held by clocks': this.#queries.untrusted,
        'complete steps': this.#queries.steps,
        'store positions': this.#stores.positions,
        'replica hashes': this.#stores.replicas,
        'replica answers': this.#stores.answers,
        'replayed prefixes': this.#stores.replays,
        records: cluster.copy.records,
        'log restarts': cluster.copy.restartsChecked,
        ...this.#mechanisms(),
        'simulated seconds': Math.round(world.clock.monotonicMs() / 1000),
      },
      trace: world.traceText(),
    };
  }
}

/** Whether a record of `points` is of a lane: no fence, and not another program's. */
function isOfLane(value: Uint8Array): boolean {
  try {
    return decodeRecord(value).type !== RECORD.fence;
  } catch (error) {
    if (isTidemarkError(error)) return false;
    throw error;
  }
}

function describe(failure: unknown): { check: string; message: string } {
  if (failure instanceof Violation) return { check: failure.check, message: failure.message };
  if (isTidemarkError(failure)) return { check: `error ${failure.code}`, message: failure.stack ?? failure.message };
  return { check: 'program error', message: failure instanceof Error ? (failure.stack ?? '') : String(failure) };
}
