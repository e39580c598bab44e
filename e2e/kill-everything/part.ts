import { existsSync, readFileSync } from 'node:fs';
import type { LinkMode } from '@tidemark/child-process';
import type { KafkaBroker } from '@tidemark/kafka-brokers';
import type { ServiceProcess } from '@tidemark/local-cluster';
import { eventually } from '../process/eventually.ts';
import type { LinkSide } from './plan.ts';
import type { PartKind } from './settings.ts';
import type { SharedLink } from './shared-link.ts';

const READY_MS = 240_000;
const END_MS = 120_000;
const NOTHING_BYTES = 1;
const POLL_MS = 100;
const RECORD_LINE = '"type":"record"';

/** A process that is killed, frozen, or disconnected. */
export interface Part {
  readonly kind: PartKind;
  readonly name: string;
  readonly isRunning: boolean;
  kill(): Promise<void>;
  /** Restarts it with its own data. */
  spawn(): void;
  /** Resolves when it is ready again. */
  ready(): Promise<void>;
  /** Resolves when it is frozen. */
  freeze(): Promise<void>;
  thaw(): void;
  setLinks(mode: LinkMode, side: LinkSide): void;
  /** Sets the mode of its own links to the brokers; the links of other parts keep theirs. */
  setLogLinks(mode: LinkMode): void;
  /** Fills its disk. Resolves when that has ended the process. */
  fillDisk(): Promise<void>;
}

export interface SidedLink {
  readonly side: 'clients' | 'brokers';
  readonly link: SharedLink;
}

export function brokerPart(broker: KafkaBroker, links: readonly SidedLink[]): Part {
  return {
    kind: 'broker',
    name: `broker-${broker.id}`,
    get isRunning() {
      return broker.isRunning;
    },
    kill: () => broker.kill(),
    spawn: () => broker.spawn(),
    ready: () => broker.ready(),
    freeze: () => broker.freeze(),
    thaw: () => broker.thaw(),
    setLinks: (mode, side) => {
      for (const one of links) if (side === 'all' || side === one.side) one.link.set(`broker-${broker.id}`, mode);
    },
    setLogLinks: () => {
      throw new Error(`broker ${broker.id} is the log`);
    },
    fillDisk: async () => {
      await broker.limitFileSize(NOTHING_BYTES);
      await eventually(`broker ${broker.id} to end with its disk full`, () => !broker.isRunning, END_MS);
    },
  };
}

/** A process of the cluster. */
export function servicePart(
  kind: PartKind,
  process: ServiceProcess,
  links: readonly SharedLink[],
  logLinks: readonly SharedLink[],
): Part {
  return {
    ...processDeeds(process),
    kind,
    get isRunning() {
      return process.isRunning;
    },
    spawn: () => process.spawn(),
    ready: () => process.ready(READY_MS),
    setLinks: (mode) => {
      for (const link of links) link.set(process.name, mode);
    },
    setLogLinks: (mode) => {
      for (const link of logLinks) link.set(process.name, mode);
    },
  };
}

/** A client has no endpoint of its own; it is ready when it writes its ledger. */
export function clientPart(process: ServiceProcess, ledgerFile: string): Part {
  let lengthAtSpawn = 0;
  const ledger = () => (existsSync(ledgerFile) ? readFileSync(ledgerFile, 'utf8') : '');
  const notLinked = () => {
    throw new Error(`${process.name} has no links`);
  };
  return {
    ...processDeeds(process),
    kind: 'client',
    get isRunning() {
      return process.isRunning;
    },
    spawn: () => {
      lengthAtSpawn = ledger().length;
      process.spawn();
    },
    ready: async () => {
      const records = () => ledger().slice(lengthAtSpawn).includes(RECORD_LINE);
      await eventually(`${process.name} to record`, records, READY_MS, POLL_MS);
    },
    setLinks: notLinked,
    setLogLinks: notLinked,
  };
}

function processDeeds(process: ServiceProcess): Pick<Part, 'name' | 'kill' | 'freeze' | 'thaw' | 'fillDisk'> {
  return {
    name: process.name,
    kill: () => process.kill(),
    freeze: () => process.freeze(),
    thaw: () => process.thaw(),
    fillDisk: () => Promise.reject(new Error(`the disk of ${process.name} is not filled`)),
  };
}
