import type { PartitionStatusReply, StatusReply } from '@tidemark/contract';
import { completeThroughOf, isNoted } from '@tidemark/doctor';
import { printable } from '@tidemark/model/safe-text';
import { LATE_THREAD_NOTED_MS } from '@tidemark/model/thread-delay';
import { TIDEMARK_COMMAND } from '@tidemark/model/tidemark-command';
import Table from 'cli-table3';
import { memory } from './memory-output.ts';
import { duration, gapText, time } from './printable.ts';

/** Formats the position of each partition, the senders, and what delays completeness. */
export function formatStatus(status: StatusReply): string {
  return [
    completeness(status),
    partitions(status),
    sessions(status),
    ...refusals(status),
    ...sources(status),
    ...unreported(status),
    clients(status),
    ...threads(status),
    ...memory(status),
    ...replicas(status),
    ...divergences(status),
    ...halts(status),
    ...gaps(status),
    ...status.errors.map(({ part, code, message }) => `${part} does not answer: ${code}: ${printable(message)}`),
    '',
  ].join('\n');
}

function completeness(status: StatusReply): string {
  const { points, latenessMs, nowMs, errors, mapEpoch } = status;
  const throughMs = completeThroughOf(status);
  if (throughMs === undefined) {
    const unmarked = points.filter(({ coveredWatermarkMs }) => coveredWatermarkMs === undefined).map(holderOf);
    const why = errors.length > 0 ? [`no answer from ${errors.map(({ part }) => part).join(', ')}`] : [];
    if (unmarked.length > 0) why.push(`no watermark yet in ${unmarked.join(', ')}`);
    return `nothing is known to be complete: ${why.join('; ') || 'no watermark yet in any partition'}`;
  }
  const holding = points
    .filter(({ coveredWatermarkMs }) => coveredWatermarkMs === throughMs + latenessMs)
    .map(holderOf);
  return (
    `complete through ${time(throughMs)}, ${duration(nowMs - throughMs)} ago ` +
    `(of which the lateness bound D is ${duration(latenessMs)}); held by ${holding.join(', ')}; map epoch ${mapEpoch}`
  );
}

/** What keeps a partition from being complete further: its tag store where that lacks series of newer points. */
function holderOf({ partition, watermarkMs, coveredWatermarkMs }: PartitionStatusReply): string {
  const isBehind = watermarkMs !== undefined && (coveredWatermarkMs ?? Number.NEGATIVE_INFINITY) < watermarkMs;
  return `${isBehind ? 'tags' : 'points'}/${partition}`;
}

function partitions({ points, tags, nowMs, forOperator }: StatusReply): string {
  if (!forOperator) {
    const own = new Table({ head: ['part', 'watermark'], style: { head: [], border: [], compact: true } });
    for (const one of points) own.push([`points/${one.partition}`, watermarkAge(one, nowMs)]);
    return own.toString();
  }
  const table = new Table({
    head: ['part', 'offset', 'lag', 'uncommitted', 'watermark', 'series', 'points', 'late', 'duplicate'],
    style: { head: [], border: [], compact: true },
  });
  for (const one of points) {
    table.push([
      `points/${one.partition}`,
      one.offset,
      lag(one),
      one.offset - one.committedOffset,
      watermarkAge(one, nowMs),
      one.series,
      one.points,
      one.latePoints,
      one.duplicatePoints,
    ]);
  }
  for (const one of tags) {
    const uncommitted = one.offset - one.committedOffset;
    table.push([`tags/${one.partition}`, one.offset, lag(one), uncommitted, '', one.series, '', '', '']);
  }
  return table.toString();
}

function watermarkAge({ watermarkMs }: Pick<PartitionStatusReply, 'watermarkMs'>, nowMs: number): string {
  return watermarkMs === undefined ? 'none' : `${duration(nowMs - watermarkMs)} ago`;
}

/** Formats how late the timers of each thread fired; nothing for callers who are not operators. */
function threads({ threads: all, nowMs }: StatusReply): string[] {
  if (all.length === 0) return [];
  const table = new Table({
    head: [
      'thread',
      'delay, 10 s',
      'p99',
      'delay, since start',
      'p99',
      'longest',
      `longest of ${LATE_THREAD_NOTED_MS / 60_000} min`,
    ],
    style: { head: [], border: [], compact: true },
  });
  for (const one of all) {
    const ago = (atMs: number): string => `${duration(nowMs - atMs)} ago`;
    table.push([
      printable(one.thread),
      ...[one.windowMaxMs, one.windowP99Ms, one.maxMs, one.p99Ms].map((delayMs) => `${delayMs} ms`),
      one.maxAtMs === 0 ? '' : ago(one.maxAtMs),
      one.lateAtMs === undefined ? 'none' : `${one.lateMs} ms, ${ago(one.lateAtMs)}`,
    ]);
  }
  return [table.toString()];
}

/** Formats the position of each replica, if any partition has more than one. */
function replicas({ replicas: all, nowMs }: StatusReply): string[] {
  const parts = new Set(all.map(({ topic, partition }) => `${topic}/${partition}`));
  if (parts.size === all.length) return [];
  const table = new Table({
    head: ['replica', 'process', 'state', 'offset', 'lag', 'uncommitted', 'watermark'],
    style: { head: [], border: [], compact: true },
  });
  const troubles: string[] = [];
  for (const { topic, partition, process, state, seenMs, error, position } of all) {
    const seen = seenMs === undefined ? 'never seen' : `seen ${duration(nowMs - seenMs)} ago`;
    const trouble = [error, position?.halted ?? '', position?.problem ?? ''].filter((one) => one !== '');
    const missing = state === 'live' && position === undefined ? ['does not have the partition'] : [];
    table.push([
      `${topic}/${partition}`,
      printable(process),
      state === 'live' ? state : `${state}, ${seen}`,
      position?.offset ?? '',
      position === undefined ? '' : lag(position),
      position === undefined ? '' : position.offset - position.committedOffset,
      position?.watermarkMs === undefined ? '' : `${duration(nowMs - position.watermarkMs)} ago`,
    ]);
    const reasons = [...new Set([...trouble, ...missing])].map(printable).join('; ');
    if (reasons !== '') troubles.push(`${topic}/${partition} in ${printable(process)}: ${reasons}`);
  }
  return [table.toString(), ...troubles];
}

function divergences({ divergences: all }: StatusReply): string[] {
  return all.map(({ topic, partition, bucketMs, offset, hashes }) => {
    const where = bucketMs === undefined ? '' : ` in the bucket that begins at ${time(bucketMs)}`;
    const each = hashes.map(({ process, offset: at, hash }) =>
      hash === '' ? `  ${printable(process)} has none` : `  ${printable(process)} ${hash} at offset ${at}`,
    );
    const head = `replicas of ${topic}/${partition} differ${where}, offset ${offset}: one of them gives wrong answers`;
    return [head, ...each, '  see docs/operations/replicas.md'].join('\n');
  });
}

function lag({ logNext, offset }: Pick<PartitionStatusReply, 'logNext' | 'offset'>): number {
  return Math.max(0, logNext - offset);
}

function sessions({ sessions: all, nowMs, forOperator }: StatusReply): string {
  const hidden = forOperator ? '' : 'withheld';
  const table = new Table({
    head: ['intake session', 'process', 'state', 'renewed', 'streams', 'queued', 'rejected', 'left out', 'violations'],
    style: { head: [], border: [], compact: true },
  });
  for (const { session, process, state, renewedMs, notTold, streams, queuedBytes, ...counts } of all) {
    const renewed = state === 'open' && renewedMs > 0 ? `${duration(nowMs - renewedMs)} ago` : '';
    const totals = [counts.rejectedPoints, counts.leftOut, counts.violations].map(totalOf);
    const figures = notTold === '' ? [streams, hidden || queuedBytes, ...totals] : Array.from({ length: 5 }, () => '?');
    table.push([hex(session).slice(0, 8), hidden || printable(process), state, renewed, ...figures]);
  }
  return table.toString();
}

/**
 * Lists what was refused, dropped or left out, by reason and with an example, a line each: in cells they would widen the
 * table.
 */
function refusals({ sessions: all, nowMs }: StatusReply): string[] {
  return all.flatMap(({ session, process, refused }) => {
    const intake = `session ${nameOf(session, process)}`;
    return refused.map(({ stage, client, reason, count, sinceMs, lastMs, example }) => {
      const where = stage === 'client' ? printable(client) : intake;
      const since = sinceMs > 0 ? ` since ${time(sinceMs)}` : stage === 'client' ? ' since its start' : '';
      const last = lastMs > 0 ? `, the last ${duration(nowMs - lastMs)} ago` : '';
      const shown = example === '' ? '' : `, for example: ${printable(example)}`;
      const verb = isNoted({ stage, reason }) ? 'noted' : (STAGES[stage] ?? printable(stage));
      return `${verb} by ${where}: ${printable(reason)} ${count}${since}${last}${shown}`;
    });
  });
}

const STAGES: Readonly<Record<string, string>> = {
  rejected: 'rejected',
  left_out: 'left out',
  violation: 'violations, seen',
  client: 'refused',
};

/** Lists what agents read from and listen on; the reasons of those that fail follow the table, as they are long. */
function sources({ sessions: all, nowMs }: StatusReply): string[] {
  const known = all.flatMap((session) => session.sources);
  if (known.length === 0) return [];
  const table = new Table({
    head: ['check, target or server', 'of', 'state'],
    style: { head: [], border: [], compact: true },
  });
  const failures: string[] = [];
  for (const { client, name, problem, sinceMs } of known) {
    const fails = `fails for ${duration(Math.max(0, nowMs - sinceMs))}`;
    table.push([printable(name), printable(client), problem === '' ? 'works' : fails]);
    if (problem !== '')
      failures.push(`${printable(name)} of ${printable(client)} fails since ${time(sinceMs)}: ${printable(problem)}`);
  }
  return [table.toString(), ...failures];
}

/** Explains the question marks: one line per session whose intake did not answer. */
function unreported({ sessions: all }: StatusReply): string[] {
  return all
    .filter(({ notTold }) => notTold !== '')
    .map(({ session, process, notTold }) => {
      const whose = nameOf(session, process);
      return `counters of session ${whose} are unknown: ${printable(notTold)}`;
    });
}

/** `ab12cd34 (intake 4711)`; without the process where that is withheld. */
function nameOf(session: Uint8Array, process: string): string {
  return `${hex(session).slice(0, 8)}${process === '' ? '' : ` (${printable(process)})`}`;
}

function totalOf(counts: Readonly<Record<string, number>>): number | string {
  return Object.values(counts).reduce((sum, count) => sum + count, 0) || '';
}

interface ClientLine {
  floor: number;
  highest: number;
  frontierMs: number | undefined;
  late: number;
}

/**
 * Formats one line per client session over all partitions: its frontier, and how many of its points were late. Sessions of
 * requests end with the session of their intake, so those without a name and a frontier are counted only.
 */
function clients({ points, sessions: all, nowMs }: StatusReply): string {
  const names = new Map(all.flatMap(({ clientNames }) => Object.entries(clientNames)));
  const former = new Map(all.flatMap(({ formerClientNames }) => Object.entries(formerClientNames)));
  // The client may be connected to an intake that did not answer.
  const nameless = all.some(({ notTold }) => notTold !== '') ? '?' : 'not seen since the start';
  const lines = new Map<string, ClientLine>();
  for (const client of points.flatMap((one) => one.clients)) {
    const key = hex(client.clientSession);
    const line = lines.get(key) ?? { floor: 0, highest: 0, frontierMs: undefined, late: 0 };
    line.floor = Math.max(line.floor, client.floor);
    line.highest = Math.max(line.highest, client.highestSequence);
    line.frontierMs = maxOf(line.frontierMs, client.frontierMs);
    line.late += client.latePoints;
    lines.set(key, line);
  }
  const nameOf = (key: string): string => {
    const past = former.get(key);
    if (past === undefined || names.has(key)) return printable(names.get(key) ?? nameless);
    return nameless === '?' ? `${printable(past)}, ?` : `${printable(past)}, not connected`;
  };
  const table = new Table({
    head: ['client session', 'name', 'delivered through', 'last sequence', 'settled below', 'late points'],
    style: { head: [], border: [], compact: true },
  });
  let [ended, endedLate] = [0, 0];
  for (const [key, { floor, highest, frontierMs, late }] of lines) {
    if (nameless !== '?' && frontierMs === undefined && !names.has(key) && !former.has(key)) {
      ended++;
      endedLate += late;
      continue;
    }
    const frontier = frontierMs === undefined ? 'not declared' : `${duration(nowMs - frontierMs)} ago`;
    // Not a number of batches: clients skip sequences.
    const settledBelow = names.has(key) ? floor : '';
    table.push([key.slice(0, 8), nameOf(key), frontier, highest, settledBelow, late]);
  }
  if (ended === 0) return table.toString();
  const sessions = ended === 1 ? '1 earlier session' : `${ended} earlier sessions`;
  return `${table.toString()}\n${sessions} of requests, from before the start: late points ${endedLate}`;
}

function maxOf(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}

function halts({ points, tags }: StatusReply): string[] {
  const of = (topic: string, all: readonly { partition: number; halted: string; haltedOffset: number }[]): string[] =>
    all
      .filter(({ halted }) => halted !== '')
      .map(({ partition, halted, haltedOffset: offset }) => {
        if (offset < 0)
          return `${topic}/${partition} is halted: ${printable(halted)}\n  no record can be skipped for this halt`;
        const command = `${TIDEMARK_COMMAND} skip ${topic} ${partition} ${offset} --reason WHY`;
        return `${topic}/${partition} is halted at offset ${offset}: ${printable(halted)}\n  to skip this record and lose its data, run ${command}`;
      });
  return [...of('points', points), ...of('tags', tags)];
}

function gaps({ points, tags }: StatusReply): string[] {
  return [...points, ...tags].flatMap((one) => one.gaps.map(gapText));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
