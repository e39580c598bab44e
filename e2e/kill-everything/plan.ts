import type { LinkMode } from '@tidemark/child-process';
import { below, type Random } from '@tidemark/ports';
import { SeededRandom } from '@tidemark/simulation';
import { PART_KINDS, type PartKind, POPULATION } from './settings.ts';

/** A fault of a part: SIGKILL, SIGSTOP, its links, only its links to the brokers, or a full disk. */
export type Deed = 'kill' | 'freeze' | 'cut' | 'cut-log' | 'fill-disk';

/** Links of a broker: those of its clients, those of the other brokers, or all. */
export type LinkSide = 'clients' | 'brokers' | 'all';

export interface Fault {
  readonly kind: PartKind;
  /** Index among the parts of its kind, from 0. */
  readonly index: number;
  readonly deed: Deed;
  readonly forMs: number;
  /** Mode of cut links. */
  readonly mode: LinkMode;
  readonly side: LinkSide;
}

const DEEDS: Readonly<Record<PartKind, readonly Deed[]>> = {
  broker: ['kill', 'freeze', 'cut', 'fill-disk'],
  coordinator: ['kill', 'freeze', 'cut', 'cut-log'],
  intake: ['kill', 'freeze', 'cut', 'cut-log'],
  'point-store': ['kill', 'freeze', 'cut', 'cut-log'],
  'tag-store': ['kill', 'freeze', 'cut', 'cut-log'],
  aggregator: ['kill', 'freeze', 'cut', 'cut-log'],
  query: ['kill', 'freeze', 'cut', 'cut-log'],
  client: ['kill', 'freeze'],
};

/** Faults that every plan has twice, because most can fail there. */
const AGAIN: readonly (readonly [PartKind, Deed])[] = [
  ['intake', 'kill'],
  ['point-store', 'kill'],
  ['client', 'kill'],
  ['broker', 'kill'],
];

const MODES: readonly LinkMode[] = ['cut', 'stalled', 'mute'];
const SIDES: readonly LinkSide[] = ['all', 'clients', 'brokers'];

/** Longer than the lease of a session (10 s): the intake is fenced, and resumes without knowing it. */
const ZOMBIE_MS = 12_000;
const LONGEST_MS: Readonly<Record<Deed, number>> = {
  kill: 1500,
  freeze: 5000,
  cut: 5000,
  'cut-log': 5000,
  'fill-disk': 1000,
};
const SHORTEST_MS: Readonly<Record<Deed, number>> = { kill: 0, freeze: 500, cut: 500, 'cut-log': 500, 'fill-disk': 0 };

/**
 * Returns the faults of a run in order of their start. Every fault happens at least once to every kind of part; the
 * seed decides which part and for how long.
 */
export function planOf(seed: number): Fault[] {
  const random = new SeededRandom(seed);
  const faults = PART_KINDS.flatMap((kind) => DEEDS[kind].map((deed) => faultOf(random, kind, deed)));
  for (const [kind, deed] of AGAIN) faults.push(faultOf(random, kind, deed));
  for (let i = faults.length - 1; i > 0; i--) {
    const j = below(random, i + 1);
    [faults[i], faults[j]] = [faults[j], faults[i]];
  }
  return faults;
}

function faultOf(random: Random, kind: PartKind, deed: Deed): Fault {
  const isZombie = kind === 'intake' && deed === 'freeze';
  const shortest = isZombie ? ZOMBIE_MS : SHORTEST_MS[deed];
  // An intake that can't renew its session for this long is fenced while its clients are still connected.
  const outlivesLease = isZombie || (kind === 'intake' && deed === 'cut-log');
  const longest = outlivesLease ? ZOMBIE_MS + 2000 : LONGEST_MS[deed];
  return {
    kind,
    deed,
    index: below(random, POPULATION[kind]),
    forMs: shortest + below(random, longest - shortest),
    mode: MODES[below(random, MODES.length)],
    side: SIDES[below(random, SIDES.length)],
  };
}

/** `freeze point-store 2 for 1700 ms`. */
export function describeFault({ kind, index, deed, forMs, mode, side }: Fault): string {
  const ways: Partial<Record<Deed, string>> = { cut: 'the links of', 'cut-log': 'the ways to the log of' };
  const what = ways[deed] === undefined ? deed : `${mode} ${ways[deed]}`;
  const whose = deed === 'cut' && kind === 'broker' ? ` (${side})` : '';
  return `${what} ${kind} ${index + 1}${whose} for ${forMs} ms`;
}
