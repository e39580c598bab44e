import { AssertionError, type Clock, type Disk, type OpenKeyValue, type Random } from '@tidemark/ports';
import { FaultPlan } from './fault-plan.ts';
import { Incarnation, ProcessCrashed } from './incarnation.ts';
import { SeededRandom } from './seeded-random.ts';
import { type NodeClock, type NodeClockOptions, SimulatedClock } from './simulated-clock.ts';
import { type CrashKind, SimulatedDisk } from './simulated-disk.ts';
import { SimulatedKeyValue } from './simulated-key-value.ts';
import { type NetworkEndpoint, SimulatedNetwork } from './simulated-network.ts';

export interface SimulatedWorldOptions {
  readonly seed: number | string;
  /** Probability by fault, for the faults of the disk, the key-value stores and the network. */
  readonly faults?: Readonly<Record<string, number>>;
}

export interface SimulatedNodeOptions extends NodeClockOptions {
  /** Size of the disk, bytes. Default 1 GiB. */
  readonly capacityBytes?: number;
}

/** Everything through which a process may act. */
export interface NodePorts {
  readonly incarnation: Incarnation;
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
  readonly openKeyValue: OpenKeyValue;
  readonly network: NetworkEndpoint;
}

/** The environment of a whole cluster in one process; equal seeds give equal runs. */
export class SimulatedWorld {
  readonly random: SeededRandom;
  readonly faults: FaultPlan;
  readonly clock: SimulatedClock;
  readonly network: SimulatedNetwork;
  readonly #nodes = new Map<string, SimulatedNode>();
  readonly #trace: string[] = [];

  constructor(options: SimulatedWorldOptions) {
    this.random = new SeededRandom(options.seed);
    this.faults = new FaultPlan(this.random.fork('faults'), options.faults);
    this.clock = new SimulatedClock({ shuffle: this.random.fork('clock') });
    const { clock, faults } = this;
    this.network = new SimulatedNetwork({ clock, faults, random: this.random.fork('network') });
  }

  /** Adds a machine; its name must be unused. */
  node(name: string, options: SimulatedNodeOptions = {}): SimulatedNode {
    if (this.#nodes.has(name)) throw new AssertionError(`two nodes named ${name}`);
    const node = new SimulatedNode(this, name, options);
    this.#nodes.set(name, node);
    return node;
  }

  /** Adds a line to the trace, with the time. */
  trace(line: string): void {
    this.#trace.push(`${this.clock.monotonicMs().toFixed(3)} ${line}`);
  }

  /** Returns the trace, one line per event; equal seeds give equal traces. */
  traceText(): string {
    return this.#trace.join('\n');
  }
}

/** A machine. Its clock, disk and stores outlive its processes. */
export class SimulatedNode {
  readonly name: string;
  readonly clock: NodeClock;
  readonly disk: SimulatedDisk;
  readonly keyValue: SimulatedKeyValue;
  readonly #world: SimulatedWorld;
  #incarnation: Incarnation | undefined;
  #runs = 0;

  constructor(world: SimulatedWorld, name: string, options: SimulatedNodeOptions) {
    const random = world.random.fork(`node/${name}`);
    const { clock, faults } = world;
    this.#world = world;
    this.name = name;
    this.clock = clock.nodeClock(options);
    const { capacityBytes } = options;
    this.disk = new SimulatedDisk({ clock, faults, random: random.fork('disk'), capacityBytes });
    this.keyValue = new SimulatedKeyValue({ clock, faults, random: random.fork('key-value') });
  }

  get running(): boolean {
    return this.#incarnation !== undefined;
  }

  /**
   * Starts a process, and runs `build` in it. Rejects with ProcessCrashed when the process crashes before `build` is
   * done, and with the error of `build`; in both cases the process has ended.
   */
  async start<T>(build: (ports: NodePorts) => T | Promise<T>): Promise<T> {
    if (this.#incarnation !== undefined) throw new AssertionError(`${this.name} is already running`);
    const run = ++this.#runs;
    const incarnation = new Incarnation(this.name, run);
    this.#incarnation = incarnation;
    const ports: NodePorts = {
      incarnation,
      clock: this.clock.bind(incarnation),
      random: this.#world.random.fork(`process/${incarnation.id}`),
      disk: this.disk.bind(incarnation),
      openKeyValue: this.keyValue.bind(incarnation),
      network: this.#world.network.bind(incarnation),
    };
    try {
      return await incarnation.orCrash(Promise.resolve().then(() => build(ports)));
    } catch (error) {
      if (!(error instanceof ProcessCrashed) && incarnation === this.#incarnation) this.crash('process');
      throw error;
    }
  }

  /** Ends the process, at any moment. When this returns, it has no further effect. */
  crash(kind: CrashKind = 'power'): void {
    if (this.#incarnation === undefined) return;
    this.#incarnation.end();
    this.#incarnation = undefined;
    this.disk.crash(kind);
  }

  /** Settles as `promise`, or rejects with ProcessCrashed when the running process ends; for callers outside of it. */
  orCrash<T>(promise: Promise<T>): Promise<T> {
    if (this.#incarnation === undefined) return Promise.reject(new ProcessCrashed(this.name));
    return this.#incarnation.orCrash(promise);
  }
}
