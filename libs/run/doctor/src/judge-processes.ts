import type { Finding } from './finding.ts';
import type { Observations, ProcessKind, ProcessObservation, Unanswered } from './observations.ts';
import { CLOCK_OFF_MS } from './thresholds.ts';
import { counted, formatDuration, listed } from './words.ts';

/** What its absence means while others of its kind are there, and when it was the last. */
const ABSENCE: Readonly<Record<ProcessKind, { readonly one: string; readonly last: string }>> = {
  platform: {
    one: 'nothing is taken and nothing is answered',
    last: 'nothing is taken and nothing is answered; agents keep what they have in their spools',
  },
  coordinator: {
    one: 'points and queries go on; dead sessions are not fenced, so the next intake that dies stops completeness',
    last: 'points and queries go on; dead sessions are not fenced, so the next intake that dies stops completeness',
  },
  intake: {
    one: 'its clients go to the other intakes; completeness waits until its session is fenced, 10 s after its last sign',
    last: 'no point is taken: agents keep what they have in their spools, and completeness stands still',
  },
  'query service': {
    one: 'the other query services answer',
    last: 'no query, page or monitor is answered; points go on being stored',
  },
  'point store': {
    one: 'other replicas of its partitions answer; the log keeps what it has not read until it is back',
    last: 'answers leave these partitions out and say so; the log keeps their points until the store is back',
  },
  'tag store': {
    one: 'other replicas of its partitions answer; the log keeps what it has not read until it is back',
    last: 'queries of metrics in these partitions fail and say so; the log keeps their tags until the store is back',
  },
  aggregator: { one: 'other replicas fold its partitions', last: 'what it folds stands still; queries go on' },
};

/** Processes that don't answer, don't tell or aren't ready, and clocks that disagree with the one who looks. */
export function judgeProcesses({ processes, nowMs }: Observations): Finding[] {
  return [
    ...processes.flatMap((process) => silence(process, processes)),
    ...processes.flatMap((process) => unreadiness(process)),
    ...clocks(processes, nowMs),
  ];
}

function silence(process: ProcessObservation, all: readonly ProcessObservation[]): Finding[] {
  const { kind, address, answer } = process;
  if (answer.state === 'answered') return [];
  if (answer.state === 'refused') return [refusal(process, answer)];
  const alone = partitionsWithoutOwner(process, all);
  const others = all.filter((one) => one.kind === kind && one.answer.state !== 'silent');
  const isLast = alone.length > 0 || others.length === 0;
  const owned =
    alone.length > 0 ? ` and nobody else has ${counted(alone.length, 'partition')} of it (${alone.join(', ')})` : '';
  return [
    {
      kind: 'process-silent',
      severity: isLast && kind !== 'coordinator' && kind !== 'aggregator' ? 'broken' : 'degraded',
      what: `the ${kind} at ${address} does not answer${owned}: ${answer.reason}`,
      sinceMs: undefined,
      means: isLast ? ABSENCE[kind].last : ABSENCE[kind].one,
      next:
        kind === 'platform'
          ? 'is it running? npm start starts it; a process that hangs shows in top, and kill -9 loses nothing acknowledged'
          : `is it running at ${address}? start it again with the settings of the cluster; the end of its own log says why it ended`,
    },
  ];
}

/** Partitions of a silent store that no process of its kind that answers owns. */
function partitionsWithoutOwner(
  { kind, partitions }: ProcessObservation,
  all: readonly ProcessObservation[],
): number[] {
  const alive = all.filter((one) => one.kind === kind && one.answer.state !== 'silent');
  return partitions.filter((partition) => !alive.some((one) => one.partitions.includes(partition)));
}

function refusal({ kind, address }: ProcessObservation, { reason }: Unanswered): Finding {
  return {
    kind: 'process-refuses',
    severity: 'degraded',
    what: `the ${kind} at ${address} does not say how it is: ${reason}`,
    sinceMs: undefined,
    means: 'it may be well or not: disks, lanes and agents of it were not looked at',
    next: 'tidemark doctor --key KEY with a key of the tenant default that has the scope admin; for a cluster, cluster.keyFile',
  };
}

function unreadiness({ kind, address, answer }: ProcessObservation): Finding[] {
  if (answer.state !== 'answered' || answer.health.notReady === '') return [];
  const { health } = answer;
  // What is wrong with an intake or a store is told by its problems, each in its own words; but for halts, which the
  // status of partitions tells, and not those of an aggregator.
  const told = health.problems.filter(({ kind }) => kind !== 'halt');
  if (told.some(({ reason }) => health.notReady.includes(reason))) return [];
  return [
    {
      kind: 'process-not-ready',
      severity: 'degraded',
      what: `the ${kind} at ${address} (${health.process}) is not ready: ${health.notReady}`,
      sinceMs: health.startedMs,
      means: 'it does not do its part yet; others of its kind do, if there are any',
      next: 'wait a moment and run tidemark doctor again; if the reason stays, it is what to look at',
    },
  ];
}

interface ClockOffset {
  readonly name: string;
  /** Ahead of the one who looks, ms: at least this, whatever the answer's way took. */
  readonly aheadMs: number;
}

/** Clocks that can't be right together with the one who looks. */
function clocks(processes: readonly ProcessObservation[], nowMs: number): Finding[] {
  const answered = processes.filter(({ answer }) => answer.state === 'answered');
  const off = answered.map(offsetOf).filter(({ aheadMs }) => Math.abs(aheadMs) > CLOCK_OFF_MS);
  if (off.length === 0) return [];
  const means =
    'sessions compare their clocks with the log: beyond 1 s they take nothing, or hold everybody back; ' +
    'points of agents that are off are late, or refused';
  const next = 'timedatectl on these machines: NTP must run, and slew';
  if (off.length === answered.length && answered.length > 1) {
    const what = `the clock of this machine differs from all ${answered.length} processes: ${listed(off.map(offsetText))}`;
    return [
      {
        kind: 'clock-off',
        severity: 'degraded',
        what,
        sinceMs: undefined,
        means: 'what is said of ages here is off',
        next: 'timedatectl here',
      },
    ];
  }
  const what = `clocks differ from this machine's (${new Date(nowMs).toISOString()}): ${listed(off.map(offsetText))}`;
  return [{ kind: 'clock-off', severity: 'broken', what, sinceMs: undefined, means, next }];
}

function offsetOf({ kind, address, answer }: ProcessObservation): ClockOffset {
  if (answer.state !== 'answered') return { name: address, aheadMs: 0 };
  const { askedMs, answeredMs, health } = answer;
  const name = `${kind} ${address}`;
  if (health.nowMs < askedMs) return { name, aheadMs: health.nowMs - askedMs };
  return { name, aheadMs: Math.max(0, health.nowMs - answeredMs) };
}

function offsetText({ name, aheadMs }: ClockOffset): string {
  return `${name} is ${formatDuration(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead' : 'behind'}`;
}
