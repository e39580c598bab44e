import type { Clock, Timer } from '@tidemark/ports';
import type { Incarnation, NetworkEndpoint, StreamEnd } from '@tidemark/simulation';

/**
 * Pauses a process, like a stopped virtual machine or a long garbage collection: its timers, requests, replies and
 * messages wait in order until it resumes. Time continues.
 */
export class PauseGate {
  readonly #incarnation: Incarnation;
  #waiting: (() => void)[] = [];
  #isPaused = false;

  constructor(incarnation: Incarnation) {
    this.#incarnation = incarnation;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    while (!this.#isPaused && this.#incarnation.alive) {
      const task = this.#waiting.shift();
      if (task === undefined) return;
      task();
    }
  }

  /** Runs `task` now, or when the process resumes. */
  run(task: () => void): void {
    if (this.#isPaused || this.#waiting.length > 0) this.#waiting.push(task);
    else task();
  }

  /** Resolves when the process runs. */
  pass(): Promise<void> {
    return new Promise((resolve) => this.run(resolve));
  }

  clock(clock: Clock): Clock {
    return {
      wallMs: () => clock.wallMs(),
      monotonicMs: () => clock.monotonicMs(),
      setTimer: (delayMs, task): Timer => {
        let isCancelled = false;
        const timer = clock.setTimer(delayMs, () => this.run(() => isCancelled || task()));
        return {
          cancel: () => {
            isCancelled = true;
            timer.cancel();
          },
        };
      },
    };
  }

  network(network: NetworkEndpoint): NetworkEndpoint {
    return {
      name: network.name,
      handle: (method, handler) =>
        network.handle(method, async (body, from) => {
          await this.pass();
          return handler(body, from);
        }),
      listen: (service, acceptor) => network.listen(service, (stream, from) => acceptor(this.#stream(stream), from)),
      call: async (to, method, body) => {
        try {
          return await network.call(to, method, body);
        } finally {
          await this.pass();
        }
      },
      connect: async (to, service) => this.#stream(await network.connect(to, service)),
    };
  }

  #stream(stream: StreamEnd): StreamEnd {
    return {
      peer: stream.peer,
      send: (message) => stream.send(message),
      onMessage: (task) => stream.onMessage((message) => this.run(() => task(message))),
      onEnd: (task) => stream.onEnd((error) => this.run(() => task(error))),
      close: () => stream.close(),
    };
  }
}
