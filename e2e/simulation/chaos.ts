import { below, type Random } from '@tidemark/ports';
import { flipBitInTail, flipControlBit, flipUnreadBit, placesOf } from './bit-flip.ts';
import type { Cluster } from './cluster.ts';
import type { LogHost } from './log-host.ts';
import { leaderOf } from './settings.ts';
import { SharedClock } from './shared-clock.ts';
import type { StoreHost } from './store-host.ts';
import type { SupervisedNode } from './supervised-node.ts';

const POLL_MS = 250;
const CONTROL = leaderOf('control', 0);
/** Smallest error of all clocks together, which is waited for, and the factor up to the largest: a day. */
const AHEAD_MS = 5000;
const AHEAD_RANGE = 17_280;
/** Largest error of all clocks behind: an intake refuses points of right clocks beyond 10 minutes. */
const BEHIND_MS = 400_000;

/** Applies faults to the cluster by seed, until `stop`. */
export class Chaos {
  readonly #cluster: Cluster;
  readonly #random: Random;
  #isOver = false;
  readonly #shared: SharedClock;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#random = cluster.world.random.fork('chaos');
    const { brokers, coordinators, intakes, query, world } = cluster;
    this.#shared = new SharedClock(world, [...brokers, ...coordinators, ...intakes, query]);
  }

  start(): void {
    this.#next();
  }

  /** Ends all faults; broken parts recover. */
  stop(): void {
    this.#isOver = true;
    const { world, supervised, coordinators } = this.#cluster;
    world.faults.stop();
    world.network.healAll();
    for (const node of [...supervised, ...coordinators]) node.resume();
    const { intakes, brokers, query } = this.#cluster;
    for (const node of [...intakes, ...brokers, ...coordinators, query]) node.setClockRight();
    this.#shared.correct();
    world.trace('all is well from here on');
  }

  #next(): void {
    this.#cluster.world.clock.setTimer(POLL_MS, () => {
      if (this.#isOver) return;
      this.#poll();
      this.#next();
    });
  }

  #poll(): void {
    const { world, brokers, coordinators, intakes, stores, clients, query } = this.#cluster;
    const downMs = () => 100 + this.#random.next() ** 3 * 20_000;
    this.#maybe('crash.log', brokers, (node) => {
      node.crash(this.#kind(), this.#random.next() ** 2 * 9000);
      const { copy, placement } = this.#cluster;
      const flipped = { node, random: this.#random, faults: world.faults, copy };
      flipBitInTail({ ...flipped, placement });
      if (node.name === CONTROL) flipControlBit(flipped);
    });
    this.#maybe('log.unread-bit-flip', brokers, (node) => this.#flipUnread(node));
    this.#maybe('log.strange-record', brokers, (node) => {
      const places = placesOf(node);
      const { topic, partition } = places[below(this.#random, places.length)];
      node.host?.appendStrange(topic, partition).catch(this.#passing);
    });
    this.#maybe('crash.coordinator', coordinators, (node) => {
      node.crash(this.#kind(), node === coordinators[0] ? downMs() : undefined);
    });
    this.#maybe('crash.intake', intakes, (node) => {
      node.crash(this.#kind(), downMs());
      this.#maybe('clock.wrong-at-start', [node], () => node.startWrong(this.#wrongByMs()));
    });
    this.#maybe('crash.store', stores, (node) => node.crash(this.#kind(), downMs()));
    this.#maybe('crash.closing-store', stores.filter(isClosing), (node) => node.crash(this.#kind(), downMs()));
    this.#maybe('crash.client', clients, (node) => node.crash(this.#kind(), downMs()));
    this.#maybe('crash.query', [query], (node) => node.crash(this.#kind(), this.#random.next() * 2000));
    this.#maybe('stop.intake', intakes, (node) => this.#cluster.stopIntake(node, downMs()));
    this.#maybe('pause.log', brokers, (node) => node.pause(this.#pauseMs()));
    this.#maybe('pause.intake', intakes, (node) => node.pause(this.#pauseMs()));
    this.#maybe('pause.store', stores, (node) => node.pause(this.#pauseMs()));
    this.#maybe('pause.coordinator', coordinators, (node) => node.pause(this.#pauseMs()));
    this.#maybe('pause.client', clients, (node) => node.pause(this.#pauseMs()));
    this.#maybe('network.partition', this.#cluster.supervised, (node) => this.#cut(node));
    this.#maybe('cut.intake-from-control', intakes, (node) => this.#cutApart(node.name, CONTROL, this.#cutMs()));
    this.#maybe('cut.intake-from-log', intakes, (node) => {
      const others = brokers.filter(({ name }) => name !== CONTROL);
      this.#cutApart(node.name, others[below(this.#random, others.length)].name, this.#cutMs());
    });
    this.#maybe('cut.client-from-intake', clients, (node) => {
      this.#cutApart(node.name, intakes[below(this.#random, intakes.length)].name, 200 + this.#random.next() * 8000);
    });
    this.#maybe('cut.query-from-control', [query], (node) => this.#cutApart(node.name, CONTROL, this.#cutMs()));
    this.#maybe<unknown>('clock.jump', [...intakes, ...clients], (node) => this.#jump(node));
    this.#maybe('clock.broker', brokers, (node) => {
      const { brokerSkewMs } = this.#cluster;
      node.jump((this.#random.next() * 2 - 1) * brokerSkewMs, this.#random.next() * 20_000);
    });
    this.#maybe('clock.query', [query], (node) => node.jump(this.#wrongByMs(), this.#random.next() * 20_000));
    this.#maybe('clock.coordinator', coordinators, (node) => {
      node.jump(this.#wrongByMs(), this.#random.next() * 20_000);
    });
    this.#maybe('suspend.intake', intakes, (node) => node.suspend(this.#pauseMs()));
    this.#maybe('suspend.coordinator', coordinators, (node) => node.suspend(this.#pauseMs()));
    this.#maybe('suspend.query', [query], (node) => node.suspend(this.#pauseMs()));
    // Its partitions' times are wrong, those of the others are not.
    this.#maybe('clock.broker-ahead', brokers, (node) => node.jump(this.#aheadMs(), this.#random.next() * 20_000));
    if (world.faults.fires('clock.all-ahead')) this.#shared.set(this.#aheadMs());
    if (world.faults.fires('clock.all-behind')) this.#shared.set(-BEHIND_MS * this.#random.next());
    this.#maybe('coordinator.usurped', [coordinators[1]], (node) => {
      node.start();
      // The replaced coordinator continues until it learns of the takeover.
      const deposed = coordinators[0].host;
      this.#cluster.world.clock.setTimer(this.#random.next() * 100, () => deposed?.changeMap(this.#random));
    });
    this.#maybe('map.change', coordinators, (node) => node.host?.changeMap(this.#random));
    this.#maybe('replica.move', stores, (node) => this.#cluster.moveReplica(node));
  }

  /** Hides the next records of a partition from its stores, and damages one of them before they are read. */
  #flipUnread(node: SupervisedNode<LogHost>): void {
    const { host } = node;
    const places = placesOf(node).filter(({ topic }) => topic === 'points');
    const { topic, partition } = places[below(this.#random, places.length)];
    host?.hold(topic, partition).catch(this.#passing);
    this.#cluster.world.clock.setTimer(200 + this.#random.next() * 2000, () => {
      if (this.#isOver) host?.release();
      if (host === undefined || node.host !== host || this.#isOver) return;
      node.crash(this.#kind(), this.#random.next() ** 2 * 5000);
      flipUnreadBit(partition, { node, random: this.#random, copy: this.#cluster.copy });
    });
  }

  /** A process that ends while it is asked for something. */
  readonly #passing = (error: unknown): void => {
    if (!(error instanceof Error && error.name === 'ProcessCrashed')) this.#cluster.fail(error);
  };

  #maybe<Host>(
    fault: string,
    nodes: readonly SupervisedNode<Host>[],
    happen: (node: SupervisedNode<Host>) => void,
  ): void {
    if (nodes.length === 0 || !this.#cluster.world.faults.fires(fault)) return;
    const node = nodes[below(this.#random, nodes.length)];
    this.#cluster.world.trace(`${fault} of ${node.name}`);
    happen(node);
  }

  #kind(): 'process' | 'power' {
    return this.#random.next() < 0.5 ? 'process' : 'power';
  }

  #aheadMs(): number {
    return AHEAD_MS * AHEAD_RANGE ** this.#random.next();
  }

  /** Error of a clock, ahead or behind: from just above the tolerance of a session to ten minutes. */
  #wrongByMs(): number {
    const byMs = 1000 * 600 ** this.#random.next();
    return this.#random.next() < 0.5 ? -byMs : byMs;
  }

  #pauseMs(): number {
    return 200 + this.#random.next() ** 2 * 16_000;
  }

  #cut(node: SupervisedNode<unknown>): void {
    const { supervised, brokers } = this.#cluster;
    // Mostly from a broker: a node that is cut from one broker continues with the partitions of the others.
    const others = this.#random.next() < 0.6 ? brokers : supervised;
    const other = others[below(this.#random, others.length)];
    if (other === node) return;
    this.#cutApart(node.name, other.name, 200 + this.#random.next() ** 2 * 14_000);
  }

  /** Around the time limits of an append, of a renewal, and of the coordinator for both. */
  #cutMs(): number {
    return 4000 + this.#random.next() * 18_000;
  }

  #cutApart(one: string, other: string, durationMs: number): void {
    const { world } = this.#cluster;
    world.trace(`${one} and ${other} are cut off from each other for ${durationMs.toFixed(0)} ms`);
    world.network.partition(one, other);
    world.clock.setTimer(durationMs, () => world.network.heal(one, other));
  }

  /** Sets a clock wrong for a while. A session reads it only once and continues as before. */
  #jump(node: SupervisedNode<unknown>): void {
    if (node.host === undefined) return;
    const isClient = this.#cluster.clients.some(({ name }) => name === node.name);
    // A client's points have the times of its clock, which must stay within the limits of an intake.
    const byMs = isClient ? (this.#random.next() * 2 - 1) * 1000 : this.#wrongByMs();
    node.jump(byMs, this.#random.next() * 10_000);
  }
}

/** Whether a bucket of one of its partitions is being closed. */
function isClosing({ host }: SupervisedNode<StoreHost>): boolean {
  return [...(host?.points.values() ?? [])].some((partition) => partition.isClosing);
}
