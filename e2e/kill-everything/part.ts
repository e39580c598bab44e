import type { KafkaBroker, LinkMode } from '@tidemark/kafka-cluster';
import type { ServiceProcess } from '@tidemark/local-cluster';
import { eventually } from '../process/eventually.ts';
import type { LinkSide } from './plan.ts';
import type { PartKind } from './settings.ts';
import type { SharedLink } from './shared-link.ts';

const READY_MS = 240_000;
const END_MS = 120_000;
const NOTHING_BYTES = 1;

/** Something that is killed, frozen, cut off. */
export interface Part {
  readonly kind: PartKind;
  readonly name: string;
  readonly isRunning: boolean;
  kill(): Promise<void>;
  /** Starts it over its own data. */
  spawn(): void;
  /** Resolves when it does its work again. */
  ready(): Promise<void>;
  /** Resolves when it is frozen. */
  freeze(): Promise<void>;
  thaw(): void;
  setLinks(mode: LinkMode, side: LinkSide): void;
  /** What its own ways to the brokers do; those of others are left as they are. */
  setLogLinks(mode: LinkMode): void;
  /** Lets its disk take nothing more, and resolves when that has ended it. */
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

/** A process of the cluster, or a client: a client has neither links of its own nor a way to say that it is ready. */
export function processPart(
  kind: PartKind,
  process: ServiceProcess,
  links: readonly SharedLink[] = [],
  logLinks: readonly SharedLink[] = [],
): Part {
  return {
    kind,
    name: process.name,
    get isRunning() {
      return process.isRunning;
    },
    kill: () => process.kill(),
    spawn: () => process.spawn(),
    ready: async () => {
      if (kind !== 'client') await process.ready(READY_MS);
    },
    freeze: () => process.freeze(),
    thaw: () => process.thaw(),
    setLinks: (mode) => {
      for (const link of links) link.set(process.name, mode);
    },
    setLogLinks: (mode) => {
      for (const link of logLinks) link.set(process.name, mode);
    },
    fillDisk: () => Promise.reject(new Error(`the disk of ${process.name} is not filled`)),
  };
}
