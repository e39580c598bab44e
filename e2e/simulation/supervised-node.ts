import { isTidemarkError } from '@tidemark/ports';
import {
  type CrashKind,
  type NodePorts,
  ProcessCrashed,
  type SimulatedNode,
  type SimulatedWorld,
} from '@tidemark/simulation';
import { PauseGate } from './pause-gate.ts';

const RETRY_MS = 700;

export type Build<Host> = (ports: NodePorts, node: SimulatedNode) => Promise<Host>;

/** A machine that restarts its process when it ends, like a supervisor. */
export class SupervisedNode<Host> {
  readonly name: string;
  readonly node: SimulatedNode;
  readonly #world: SimulatedWorld;
  readonly #build: Build<Host>;
  readonly #failed: (error: unknown) => void;
  #host: Host | undefined;
  #gate: PauseGate | undefined;
  /** Number of starts, so that faults for an earlier process do not affect the next one. */
  #run = 0;
  starts = 0;
  /** Number of times that the machine's clock was set. */
  clockSteps = 0;
  /** World time at which the machine was suspended; undefined while it is not. */
  #suspendedMs: number | undefined;
  #jumpedMs = 0;
  #startsWrongByMs = 0;

  constructor(world: SimulatedWorld, node: SimulatedNode, build: Build<Host>, failed: (error: unknown) => void) {
    this.name = node.name;
    this.node = node;
    this.#world = world;
    this.#build = build;
    this.#failed = failed;
  }

  /** The running process; undefined while it is down or not ready. */
  get host(): Host | undefined {
    return this.#host;
  }

  get isDown(): boolean {
    return !this.node.running;
  }

  start(): void {
    if (this.node.running) return;
    const run = ++this.#run;
    this.setClockRight();
    this.#jumpedMs = this.#startsWrongByMs;
    this.#startsWrongByMs = 0;
    this.#step(this.#jumpedMs);
    this.node
      .start((ports) => {
        const gate = new PauseGate(ports.incarnation);
        this.#gate = gate;
        const held = { ...ports, clock: gate.clock(ports.clock), network: gate.network(ports.network) };
        return this.#build(held, this.node);
      })
      .then((host) => {
        if (run !== this.#run) return;
        this.#host = host;
        this.starts++;
        this.#world.trace(`${this.name} is up`);
      })
      .catch((error: unknown) => {
        if (error instanceof ProcessCrashed) return;
        if (!isTidemarkError(error)) this.#failed(error);
        this.#world.trace(`${this.name} could not start: ${String(error)}`);
        this.#later(RETRY_MS, run);
      });
  }

  /** Ends the process. Starts the next one after the given time, or never without one. */
  crash(kind: CrashKind, downMs?: number): void {
    if (!this.node.running) return;
    this.#world.trace(`${this.name} crashes (${kind}), down for ${downMs?.toFixed(0) ?? 'good:'} ms`);
    this.#host = undefined;
    this.#gate = undefined;
    this.#suspendedMs = undefined;
    this.node.crash(kind);
    this.#run++;
    if (downMs !== undefined) this.#later(downMs, this.#run);
  }

  /** Sets the machine's clock wrong for a while, but not longer than until the next process starts. */
  jump(byMs: number, durationMs: number): void {
    this.#jumpedMs += byMs;
    this.#step(byMs);
    this.#world.clock.setTimer(durationMs, () => this.setClockRight());
  }

  /** Starts the next process with a wrong clock, until it ends or the clock is corrected. */
  startWrong(byMs: number): void {
    this.#startsWrongByMs = byMs;
  }

  /** Sets the machine's clock, for its later processes too. */
  shift(byMs: number): void {
    this.#step(byMs);
  }

  setClockRight(): void {
    this.#step(-this.#jumpedMs);
    this.#jumpedMs = 0;
  }

  #step(byMs: number): void {
    if (byMs !== 0) this.clockSteps++;
    this.node.clock.jump(byMs);
  }

  pause(durationMs: number): void {
    const gate = this.#gate;
    if (gate === undefined) return;
    this.#world.trace(`${this.name} is paused for ${durationMs.toFixed(0)} ms`);
    gate.pause();
    this.#world.clock.setTimer(durationMs, () => this.#resume(gate));
  }

  /**
   * Suspends the machine: its process is paused, and monotonic time does not advance meanwhile. Only for a process without a
   * disk, since what it has read or written is not paused.
   */
  suspend(durationMs: number): void {
    if (this.#gate === undefined || this.#suspendedMs !== undefined) return;
    this.#suspendedMs = this.#world.clock.monotonicMs();
    this.pause(durationMs);
  }

  resume(): void {
    if (this.#gate !== undefined) this.#resume(this.#gate);
  }

  #resume(gate: PauseGate): void {
    if (gate === this.#gate && this.#suspendedMs !== undefined) {
      this.node.clock.suspended(this.#world.clock.monotonicMs() - this.#suspendedMs);
      this.#suspendedMs = undefined;
    }
    gate.resume();
  }

  #later(delayMs: number, run: number): void {
    this.#world.clock.setTimer(delayMs, () => {
      if (run === this.#run) this.start();
    });
  }
}
