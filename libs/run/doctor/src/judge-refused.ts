import { TIDEMARK_COMMAND } from '@tidemark/model/tidemark-command';
import type { Finding } from './finding.ts';
import { counted, formatCount, formatDuration } from './format-values.ts';
import { isSpoolDamage } from './judge-spools.ts';
import type { Observations } from './observations.ts';
import type { RefusedView } from './pipeline-view.ts';

/** The reason under which an agent counts gauges with a sign. */
const SIGNED_GAUGES = 'signedGauges';
/** The reason under which an agent counts datagrams that its operating system had no room for. */
const DROPPED_BY_OS = 'dropped_by_os';
/** Characters of an example that a finding shows. */
const EXAMPLE_CHARACTERS = 120;
/** Reasons that one finding names; the others are counted. */
const NAMED_REASONS = 5;

interface Summed {
  readonly reason: string;
  readonly count: number;
  readonly example: string;
  /** The client that refused it; undefined for intakes. */
  readonly client: string | undefined;
  /** From when on intakes count, ms; undefined when it is not known. */
  readonly sinceMs: number | undefined;
  /** How long ago the last one was counted, ms; undefined when it is not known. */
  readonly lastAgoMs: number | undefined;
}

/**
 * What intakes, agents and clients refused, dropped or left out since their start. The fault is in what was sent, so
 * these are notes.
 */
export function judgeRefused({ pipeline }: Observations): Finding[] {
  const all = (pipeline?.sessions ?? []).flatMap(({ refused = [] }) => refused).filter(({ count }) => count > 0);
  const signed = all.filter(isNoted);
  const leftOut = all.filter(({ stage }) => stage === 'left_out');
  const datagrams = all.filter(isDatagram);
  const refused = all.filter(
    (one) => one.stage !== 'left_out' && !isNoted(one) && !isDatagram(one) && !isSpoolDamage(one),
  );
  const sums = (some: readonly RefusedView[]): Summed[] => summed(some, pipeline?.nowMs ?? 0);
  return [
    ...refusedFinding(sums(refused)),
    ...droppedFinding(sums(datagrams)),
    ...signedFinding(sums(signed)),
    ...leftOutFinding(sums(leftOut)),
  ];
}

function isDatagram({ stage, reason }: RefusedView): boolean {
  return stage === 'client' && reason === DROPPED_BY_OS;
}

/** Returns true for what a client counts although it has accepted it: it may not mean what its sender meant. */
export function isNoted({ stage, reason }: Pick<RefusedView, 'stage' | 'reason'>): boolean {
  return stage === 'client' && reason === SIGNED_GAUGES;
}

/** Sums by reason and client, so that an example is of the one that is named with it; the most frequent first. */
function summed(all: readonly RefusedView[], nowMs: number): Summed[] {
  const sums = new Map<string, Summed>();
  for (const { stage, client: name, reason, count, example, sinceMs = 0, lastMs = 0 } of all) {
    const client = stage === 'client' ? name : undefined;
    const key = JSON.stringify([reason, client]);
    const known = sums.get(key);
    const lastAgoMs = lastMs > 0 ? Math.max(0, nowMs - lastMs) : undefined;
    sums.set(key, {
      reason,
      count: (known?.count ?? 0) + count,
      example: known?.example || example,
      sinceMs: minOf(known?.sinceMs, sinceMs > 0 ? sinceMs : undefined),
      lastAgoMs: minOf(known?.lastAgoMs, lastAgoMs),
      client,
    });
  }
  return [...sums.values()].sort((a, b) => b.count - a.count);
}

function minOf(...values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** `value_nan 12 (for example: …; by agent web-1; the last 3 min ago)` */
function named(all: readonly Summed[]): string {
  const shown = all.slice(0, NAMED_REASONS).map(({ reason, count, example, client, lastAgoMs }) => {
    const cut = example.length > EXAMPLE_CHARACTERS ? `${example.slice(0, EXAMPLE_CHARACTERS)}…` : example;
    const details = [
      ...(cut === '' ? [] : [`for example: ${cut}`]),
      ...(client === undefined ? [] : [`by ${client}`]),
      ...(lastAgoMs === undefined ? [] : [`the last ${formatDuration(lastAgoMs)} ago`]),
    ];
    return `${reason} ${formatCount(count)}${details.length === 0 ? '' : ` (${details.join('; ')})`}`;
  });
  const more = all.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${counted(more, 'more reason')}` : shown.join(', ');
}

function refusedFinding(all: readonly Summed[]): Finding[] {
  if (all.length === 0) return [];
  return [
    {
      kind: 'data-refused',
      severity: 'note',
      what: `data was refused since the processes started: ${named(all)}`,
      sinceMs: minOf(...all.map(({ sinceMs }) => sinceMs)),
      means: 'these points, lines or requests are not stored; all others are',
      next: `correct the sender that the example names; ${TIDEMARK_COMMAND} status has every reason, docs/point-rules.md the rules`,
    },
  ];
}

function droppedFinding(all: readonly Summed[]): Finding[] {
  if (all.length === 0) return [];
  return [
    {
      kind: 'datagrams-dropped',
      severity: 'note',
      what: `DogStatsD datagrams were dropped by the operating system since the agents started: ${named(all)}`,
      sinceMs: minOf(...all.map(({ sinceMs }) => sinceMs)),
      means: 'programs sent faster than the agent reads; how many values the datagrams had is not known',
      next: "send several values in one datagram, or raise dogstatsd.receiveBufferBytes and the system's net.core.rmem_max",
    },
  ];
}

function signedFinding(all: readonly Summed[]): Finding[] {
  return all.map((one) => ({
    kind: 'gauges-signed',
    severity: 'note',
    what: `gauges with a sign have set the gauge: ${named([one])}`,
    sinceMs: one.sinceMs,
    means:
      "a plain StatsD client means +5 and -5 as changes of the last value; Datadog's clients mean the value itself",
    next: 'if a StatsD client sends them, set statsd.gaugeDeltas to true; if they are negative values, nothing',
  }));
}

function leftOutFinding(all: readonly Summed[]): Finding[] {
  if (all.length === 0) return [];
  return [
    {
      kind: 'data-left-out',
      severity: 'note',
      what: `data that Tidemark does not store was left out: ${named(all)}`,
      sinceMs: minOf(...all.map(({ sinceMs }) => sinceMs)),
      means: 'it is not an error, and no sample is missing',
      next: 'nothing, or stop sending it',
    },
  ];
}
