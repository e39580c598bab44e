import { TIDEMARK_COMMAND } from '@tidemark/model/tidemark-command';
import type { Finding } from './finding.ts';
import { formatDuration, listed } from './format-values.ts';
import type { Observations, ProcessKind, ProcessObservation, Unanswered } from './observations.ts';
import { CLOCK_OFF_MS, STARTING_MS } from './thresholds.ts';

/** The effect of a silent process: while others of its kind answer (`one`), and when it was the last (`last`). */
const ABSENCE: Readonly<Record<ProcessKind, { readonly one: string; readonly last: string }>> = {
  platform: {
    one: 'no point is accepted and no query is answered',
    last: 'no point is accepted and no query is answered; agents keep their points in their spools',
  },
  coordinator: {
    one: 'points and queries continue; dead sessions are not fenced, so completeness stops when an intake dies',
    last: 'points and queries continue; dead sessions are not fenced, so completeness stops when an intake dies',
  },
  intake: {
    one: 'its clients connect to the other intakes; completeness waits until its session is fenced, 10 s after its last renewal',
    last: 'no point is accepted: agents keep their points in their spools, and completeness does not advance',
  },
  'query service': {
    one: 'the other query services answer',
    last: 'no query, page or monitor is answered; points are still stored',
  },
  'point store': {
    one: 'other replicas of its partitions answer; the log keeps its unread records until it is back',
    last: 'answers omit these partitions and report that; the log keeps their points until the store is back',
  },
  'tag store': {
    one: 'other replicas of its partitions answer; the log keeps its unread records until it is back',
    last: 'queries of metrics in these partitions fail and report that; the log keeps their tags until the store is back',
  },
  aggregator: { one: 'other replicas fold its partitions', last: 'its folded points do not advance; queries continue' },
};

/**
 * Finds processes that don't answer, refuse to report their health or aren't ready, and clocks that are off. Health that is
 * withheld because the caller is not an operator is a note: nothing is wrong.
 */
export function judgeProcesses({ processes, pipeline, nowMs }: Observations): Finding[] {
  const isWithheld = pipeline?.forOperator === false;
  return [
    ...(isWithheld ? withheld(processes) : []),
    ...processes.flatMap((process) => silence(process, processes, isWithheld)),
    ...processes.flatMap((process) => unreadiness(process)),
    ...clocks(processes, nowMs),
  ];
}

function silence(process: ProcessObservation, all: readonly ProcessObservation[], isWithheld: boolean): Finding[] {
  const { kind, address, answer } = process;
  if (answer.state === 'answered') return [];
  if (answer.state === 'refused') return isWithheld ? [] : [refusal(process, answer)];
  const alone = partitionsWithoutOwner(process, all);
  const others = all.filter((one) => one.kind === kind && one.answer.state !== 'silent');
  const isLast = alone.length > 0 || others.length === 0;
  const owned =
    alone.length > 0 ? ` and no other process owns ${alone.length} of its partitions (${alone.join(', ')})` : '';
  return [
    {
      kind: 'process-silent',
      severity: isLast && kind !== 'coordinator' && kind !== 'aggregator' ? 'broken' : 'degraded',
      what: `the ${kind} at ${address} does not answer${owned}: ${answer.reason}`,
      sinceMs: undefined,
      means: isLast ? ABSENCE[kind].last : ABSENCE[kind].one,
      next:
        kind === 'platform'
          ? 'check that it runs (npm start starts it); end a process that hangs with kill -9: nothing acknowledged is lost'
          : `check that it runs at ${address}; if not, start it with the settings of the cluster; the end of its own log has the reason why it ended`,
    },
  ];
}

/** Returns the partitions of a silent store that no answering process of its kind owns. */
function partitionsWithoutOwner(
  { kind, partitions }: ProcessObservation,
  all: readonly ProcessObservation[],
): number[] {
  const alive = all.filter((one) => one.kind === kind && one.answer.state !== 'silent');
  return partitions.filter((partition) => !alive.some((one) => one.partitions.includes(partition)));
}

function withheld(processes: readonly ProcessObservation[]): Finding[] {
  const refusals = processes.flatMap(({ answer }) => (answer.state === 'refused' ? [answer.reason] : []));
  if (refusals.length === 0) return [];
  const names = processes.flatMap((one) =>
    one.answer.state === 'refused' ? [`the ${one.kind} at ${one.address}`] : [],
  );
  return [
    {
      kind: 'process-refuses',
      severity: 'note',
      what: `this key does not show the health of ${listed(names)}: ${refusals[0]}`,
      sinceMs: undefined,
      means: 'disks, lanes and agents were not checked; completeness, and the senders of its tenant, were',
      next: `for a check of the whole platform, ${OPERATOR_KEY}`,
    },
  ];
}

const OPERATOR_KEY = `run ${TIDEMARK_COMMAND} doctor --key KEY with a key of the tenant default that has the scope admin`;

function refusal({ kind, address }: ProcessObservation, { reason }: Unanswered): Finding {
  return {
    kind: 'process-refuses',
    severity: 'degraded',
    what: `the ${kind} at ${address} does not report its health: ${reason}`,
    sinceMs: undefined,
    means: 'it may be healthy or not: its disks, lanes and agents were not checked',
    next: `${OPERATOR_KEY}; for a cluster, set cluster.keyFile`,
  };
}

function unreadiness({ kind, address, answer }: ProcessObservation): Finding[] {
  if (answer.state !== 'answered' || answer.health.notReady === '') return [];
  const { health } = answer;
  // Problems of an intake or a store are findings of their own. Halts are not among them: the status of partitions
  // reports those, except the halts of an aggregator.
  const reported = health.problems.filter(({ kind }) => kind !== 'halt');
  if (reported.some(({ reason }) => health.notReady.includes(reason))) return [];
  return [
    {
      kind: 'process-not-ready',
      severity: health.nowMs - health.startedMs < STARTING_MS ? 'note' : 'degraded',
      what: `the ${kind} at ${address} (${health.process}) is not ready: ${health.notReady}`,
      sinceMs: health.startedMs,
      means:
        kind === 'platform'
          ? 'it does not do its work now'
          : 'it does not do its work now; other processes of its kind do, if any run',
      next: `wait a moment and run ${TIDEMARK_COMMAND} doctor again; if the reason stays, investigate it`,
    },
  ];
}

interface ClockOffset {
  readonly name: string;
  /** Lower bound of how far it is ahead of the doctor's clock, ms; the time on the network can only raise it. */
  readonly aheadMs: number;
}

/** Finds clocks that can't be right if the doctor's clock is. */
function clocks(processes: readonly ProcessObservation[], nowMs: number): Finding[] {
  const answered = processes.filter(({ answer }) => answer.state === 'answered');
  const off = answered.map(offsetOf).filter(({ aheadMs }) => Math.abs(aheadMs) > CLOCK_OFF_MS);
  if (off.length === 0) return [];
  const means =
    'sessions compare their clocks with the log: beyond 1 s they accept nothing, or hold back completeness for all; ' +
    'points of agents with such clocks are late, or refused';
  const next = 'run timedatectl on these machines: NTP must run, and slew';
  if (off.length === answered.length && answered.length > 1) {
    const what = `the clock of this machine differs from all ${answered.length} processes: ${listed(off.map(offsetText))}`;
    return [
      {
        kind: 'clock-off',
        severity: 'degraded',
        what,
        sinceMs: undefined,
        means: 'the ages in this report are wrong',
        next: 'run timedatectl on this machine',
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
