import type { Client, ClientStats } from '@tidemark/client';
import type { PositionsReply } from '@tidemark/contract';
import { ControlFollower, ControlState } from '@tidemark/control-log';
import { Coordinator, type StorePosition } from '@tidemark/coordinator';
import { metricId, slotOf } from '@tidemark/model';
import { PageCodec, type PointStoreLimits } from '@tidemark/point-store';
import { assert, below, isTidemarkError, type Random } from '@tidemark/ports';
import type { ReplicaCounters } from '@tidemark/replicas';
import { type NetworkEndpoint, type NodePorts, SimulatedWorld } from '@tidemark/simulation';
import { ClientHost } from './client-host.ts';
import { drawFaults } from './faults.ts';
import { IntakeHost } from './intake-host.ts';
import { Ledger } from './ledger.ts';
import { LogCopy } from './log-copy.ts';
import { LogHost, type LogHostOptions } from './log-host.ts';
import { Placement, type StoredTopic } from './placement.ts';
import { QueryHost } from './query-host.ts';
import { RemoteLog } from './remote-log.ts';
import { METRICS, TENANT } from './series.ts';
import {
  BROKERS,
  HALTED_MS,
  LANE_TIMING,
  PARTITIONS,
  POINT_LIMITS,
  POINT_STORES,
  RECORD_BYTES,
  REPLICAS,
  RETENTION_MS,
  TAG_STORES,
} from './settings.ts';
import { type StoreCounts, StoreHost } from './store-host.ts';
import { SupervisedNode } from './supervised-node.ts';
import { Violation } from './violation.ts';
import type { Wiring } from './wiring.ts';

const INTAKES = ['intake-1', 'intake-2', 'intake-3'];
const CLIENTS = ['client-1', 'client-2', 'client-3'];
/** Max error of the clocks of intakes: together with that of brokers, less than the tolerance of a session. */
const SKEW_MS = 900;
/** Max error of the clocks of brokers in half of the runs; twice that after a jump. */
const BROKER_SKEW_MS = 180;
/** Time limit for the clean stop of an intake. */
const STOP_MS = 7000;
/** Max time by which an intake that accepts points may be behind the end of `control`, ms. */
const CONTROL_LAG_MS = 15_000;
/** Max lag, in records, of a new replica that replaces the old one. */
const CAUGHT_UP = 5;

export interface CoordinatorHost {
  readonly coordinator: Coordinator;
  /** Decides another map, as one that balances load would. */
  changeMap(random: Random): void;
}

/** A replica on its way from one store to another. */
interface Move {
  readonly topic: StoredTopic;
  readonly partition: number;
  readonly from: string;
  readonly to: string;
}

/** A whole platform, every process on a machine of its own. */
export class Cluster {
  readonly world: SimulatedWorld;
  readonly ledger = new Ledger();
  readonly copy = new LogCopy(PARTITIONS);
  /** One for all point stores: its memory would not be freed before the seed ends anyway. */
  readonly pageCodec = new PageCodec();
  readonly pointLimits: PointStoreLimits;
  /** State of `control` for a reader of all of its records. */
  readonly truth = new ControlState();
  readonly placement = new Placement();
  readonly brokers: readonly SupervisedNode<LogHost>[];
  /** Bound of what the clocks of brokers are off by, and jump by, ms. */
  readonly brokerSkewMs: number;
  readonly recordSize: LogHostOptions['recordSize'];
  readonly coordinators: readonly SupervisedNode<CoordinatorHost>[];
  readonly intakes: readonly SupervisedNode<IntakeHost>[];
  readonly stores: readonly SupervisedNode<StoreHost>[];
  readonly clients: readonly SupervisedNode<ClientHost>[];
  readonly query: SupervisedNode<QueryHost>;
  /** Every process of every client, in the order of their starts. */
  readonly clientRuns: { readonly name: string; readonly client: Client }[] = [];
  /** Number of trims of the log. */
  readonly logTrims = { count: 0 };
  readonly storeCounts: StoreCounts = { copied: 0, replayed: 0, resumed: 0, closing: 0 };
  readonly intakeStops = { count: 0 };
  readonly replicaMoves = { count: 0 };
  /** Of every process of the query node. */
  readonly queryCounters: ReplicaCounters[] = [];
  #moves: Move[] = [];
  /** When partitions were first seen as halted for too long. */
  readonly #haltedSinceMs = new Map<number, number>();
  /** Violations, the first first. */
  readonly failures: unknown[] = [];
  readonly #wiring: Wiring;
  readonly #firstPartitions: number;
  /** What intakes know of `recordSize`. */
  readonly #knownRecordBytes: number;
  #values = 0;

  constructor(seed: number, wiring: Wiring) {
    // The faults of a seed are drawn from a world that is thrown away.
    const faults = drawFaults(new SimulatedWorld({ seed }).random.fork('which faults'));
    this.world = new SimulatedWorld({ seed, faults });
    this.#wiring = wiring;
    const { world } = this;
    this.pointLimits = { ...POINT_LIMITS, retentionMs: retentionOf(world.random.fork('retention')) };
    const skew = world.random.fork('skew');
    const node = <Host>(name: string, build: (ports: NodePorts) => Promise<Host>, skewMs = 0) =>
      new SupervisedNode(world, world.node(name, { skewMs }), build, (error) => this.fail(error));
    const within = (boundMs: number) => (skew.next() * 2 - 1) * boundMs;
    this.brokerSkewMs = skew.next() < 0.5 ? 0 : BROKER_SKEW_MS;
    this.#firstPartitions = skew.next() < 0.7 ? PARTITIONS : PARTITIONS - 1;
    const [fewest, most] = RECORD_BYTES;
    const maxBytes = fewest + below(skew, most - fewest);
    this.#knownRecordBytes = skew.next() < 0.6 ? maxBytes : LANE_TIMING.recordBytes;
    this.recordSize = { maxBytes, refused: 0 };
    const skewMs = () => within(SKEW_MS - 2 * this.brokerSkewMs);
    this.brokers = BROKERS.map((name) =>
      node(name, (ports) => this.#startBroker(name, ports), within(this.brokerSkewMs)),
    );
    this.coordinators = [1, 2].map((i) => node(`coordinator-${i}`, (ports) => this.#startCoordinator(ports)));
    this.intakes = INTAKES.map((name) => node(name, (ports) => this.#startIntake(name, ports), skewMs()));
    this.stores = [
      ...POINT_STORES.map((name) => node(name, (ports) => this.#startStore(name, 'points', ports))),
      ...TAG_STORES.map((name) => node(name, (ports) => this.#startStore(name, 'tags', ports))),
    ];
    this.clients = CLIENTS.map((name) => node(name, (ports) => this.#startClient(name, ports), skewMs() / 2));
    this.query = node('query', (ports) => this.#startQuery(ports));
  }

  /** All nodes except the second coordinator, which only takes over. */
  get supervised(): readonly SupervisedNode<unknown>[] {
    const { brokers, coordinators, intakes, stores, clients, query } = this;
    return [...brokers, coordinators[0], ...intakes, ...stores, ...clients, query];
  }

  /**
   * Checks that no intake accepted points of a partition that was halted for too long, and still is. The log's clock, by which
   * intakes measure that, may jump, and they may be behind the end of `control`. A lost decision may be unknown to them.
   */
  checkHalts(): void {
    const nowMs = this.world.clock.monotonicMs();
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const isHalted = (this.truth.haltedMs(partition) ?? 0) > HALTED_MS;
      if (!isHalted) this.#haltedSinceMs.delete(partition);
      else if (!this.#haltedSinceMs.has(partition)) this.#haltedSinceMs.set(partition, nowMs);
    }
    for (const { session, partition } of this.ledger.acceptedShares.splice(0)) {
      const haltedMs = nowMs - (this.#haltedSinceMs.get(partition) ?? nowMs);
      if (haltedMs <= CONTROL_LAG_MS || this.copy.hasRotten('control')) continue;
      const text = `${session} accepted a share of points/${partition}, which had been halted too long for ${haltedMs} ms`;
      this.fail(new Violation('halted-takes-nothing', text));
    }
  }

  readonly fail = (error: unknown): void => {
    this.failures.push(error);
    this.world.trace(`failure: ${String(error)}`);
  };

  start(): void {
    for (const node of this.supervised) node.start();
  }

  /** Stops a replaced coordinator, which does nothing any more. The first one restarts, the second does not. */
  replaceDeposed(): void {
    for (const node of this.coordinators) {
      if (!node.host?.coordinator.problem?.includes('took over')) continue;
      node.crash('process', node === this.coordinators[0] ? 2000 : undefined);
    }
  }

  /** Stops an intake cleanly; its next process starts after a while. */
  stopIntake(node: SupervisedNode<IntakeHost>, downMs: number): void {
    const { host } = node;
    if (host === undefined) return;
    let isOver = false;
    const end = () => {
      if (isOver || node.host !== host) return;
      isOver = true;
      node.crash('process', downMs);
    };
    this.world.clock.setTimer(STOP_MS, end);
    host.stop().then(() => {
      if (!isOver && node.host === host) this.intakeStops.count++;
      end();
    }, this.fail);
  }

  get movesUnderWay(): number {
    return this.#moves.length;
  }

  /** Moves one more partition to the store from another one, unless it has or is getting all of them. */
  moveReplica({ name, host }: SupervisedNode<StoreHost>): void {
    if (host === undefined) return;
    const { topic } = host;
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const owners = this.placement.owners(topic, partition);
      if (owners.length > REPLICAS || owners.includes(name)) continue;
      this.world.trace(`${topic}/${partition} moves from ${owners[0]} to ${name}`);
      this.#moves.push({ topic, partition, from: owners[0], to: name });
      this.placement.add(topic, partition, name);
      return;
    }
  }

  /** Ends moves whose new replica has caught up. */
  finishMoves(): void {
    this.#moves = this.#moves.filter(({ topic, partition, from, to }) => {
      const replica = this.stores.find(({ name }) => name === to)?.host?.replica(partition);
      if (replica === undefined || this.copy.of(topic, partition).length - replica.nextOffset > CAUGHT_UP) return true;
      this.world.trace(`${topic}/${partition} is no longer on ${from}`);
      this.placement.remove(topic, partition, from);
      this.replicaMoves.count++;
      return false;
    });
  }

  async #startBroker(name: string, { clock, random, disk, network, incarnation }: NodePorts): Promise<LogHost> {
    const { copy, fail, logTrims, placement, recordSize, world } = this;
    const host = new LogHost({
      ...{ name, clock, random, network, copy, placement, trims: logTrims, faults: world.faults, failed: fail },
      disk: this.#wiring.logDisk(disk),
      recordSize,
      isAlive: () => incarnation.alive,
    });
    await host.start();
    return host;
  }

  async #startCoordinator({ clock, random, network, incarnation }: NodePorts): Promise<CoordinatorHost> {
    const log = new RemoteLog(network, random, clock);
    const control = new ControlFollower(log, clock);
    await control.start();
    const coordinator = new Coordinator({
      ...{ log, control, clock, random, process: incarnation.id, partitions: this.#firstPartitions },
      ...{ tenantSeries: 1_000_000, metricSeries: 1_000_000, isAlone: false, seriesCounts: async () => [] },
      checkpointRecords: 40,
      // Several records, so that others come between them.
      checkpointPartBytes: 2500,
      storePositions: () => storePositions(network),
    });
    await coordinator.start();
    return { coordinator, changeMap: (by) => this.#changeMap(coordinator, control, by) };
  }

  /** Moves slots: mostly those of one metric, sometimes all. Some maps have more partitions than the previous one. */
  #changeMap(coordinator: Coordinator, control: ControlFollower, random: Random): void {
    const { map } = control.state;
    assert(map !== undefined, 'a coordinator that has started has a map');
    const partitions = random.next() < 0.5 ? map.partitions : PARTITIONS;
    const isShift = random.next() < 0.3;
    const slots = isShift ? map.slots.map((partition) => (partition + 1) % partitions) : map.slots.slice();
    if (!isShift)
      slots[slotOf(metricId(TENANT, METRICS[below(random, METRICS.length)].metric))] = below(random, partitions);
    coordinator.assignSlots(partitions, slots).catch((error: unknown) => {
      // A replaced or disconnected coordinator makes no decisions.
      if (!isTidemarkError(error)) this.fail(error);
    });
  }

  async #startIntake(name: string, { clock, random, network }: NodePorts): Promise<IntakeHost> {
    const { ledger, fail } = this;
    const own = { wiring: this.#wiring, ledger, failed: fail, recordBytes: this.#knownRecordBytes };
    const host = new IntakeHost({ name, clock, random, network, ...own });
    await host.start();
    return host;
  }

  async #startStore(name: string, topic: StoredTopic, ports: NodePorts): Promise<StoreHost> {
    const { clock, random, network, openKeyValue } = ports;
    const { placement, copy, pageCodec, pointLimits, storeCounts: counts, fail: failed } = this;
    const host = new StoreHost({
      ...{ name, topic, placement, clock, random, network, openKeyValue, copy, pageCodec, pointLimits },
      ...{ counts, failed },
      wiring: this.#wiring,
    });
    await host.start();
    return host;
  }

  async #startClient(name: string, { clock, random, network, disk }: NodePorts): Promise<ClientHost> {
    const host = await ClientHost.start({
      ...{ name, clock, random, network, intakes: INTAKES, ledger: this.ledger, failed: this.fail },
      disk: name === 'client-3' ? undefined : this.#wiring.clientDisk(disk),
      nextValue: () => ++this.#values,
    });
    this.clientRuns.push({ name, client: host.client });
    return host;
  }

  /** What a client has counted. */
  statsOf(client: Client): ClientStats {
    return this.#wiring.clientStats(client.stats());
  }

  async #startQuery({ clock, random, network }: NodePorts): Promise<QueryHost> {
    const host = new QueryHost({ clock, random, network, placement: this.placement, wiring: this.#wiring });
    await host.start();
    this.queryCounters.push(host.counters);
    return host;
  }
}

/** Asks the stores as the coordinator of a cluster does: one that does not answer has no position. */
async function storePositions(network: NetworkEndpoint): Promise<StorePosition[]> {
  const ask = async (topic: StoredTopic, store: string): Promise<StorePosition[]> => {
    try {
      const { positions } = (await network.call(store, 'positions', undefined)) as PositionsReply;
      return positions.map((position) => ({ ...position, topic }));
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
      return [];
    }
  };
  const asked = [
    ...POINT_STORES.map((store) => ask('points', store)),
    ...TAG_STORES.map((store) => ask('tags', store)),
  ];
  return (await Promise.all(asked)).flat();
}

/** How long points are kept, ms; 0 for permanently. */
function retentionOf(random: Random): number {
  const [fewest, most] = RETENTION_MS;
  return random.next() < 1 / 3 ? fewest + below(random, most - fewest) : 0;
}
