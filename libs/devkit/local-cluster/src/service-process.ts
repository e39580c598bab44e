import { setTimeout as delay } from 'node:timers/promises';
import { Program, type ProgramOptions } from '@tidemark/child-process';
import { messageOf, TidemarkError } from '@tidemark/ports';

/** The executables of a cluster; each is `apps/KIND`. */
export type ServiceKind = 'coordinator' | 'intake' | 'point-store' | 'tag-store' | 'aggregator' | 'query' | 'agent';

export interface ServicePorts {
  readonly grpc: number;
  readonly http: number;
}

export interface ServiceProcessOptions extends ProgramOptions {
  readonly kind: ServiceKind;
  /** Ports on which it listens. */
  readonly ports: ServicePorts;
}

const ASK_MS = 2000;
const POLL_MS = 50;

/** One process of a cluster on this machine, with a unique name such as `intake-1`. */
export class ServiceProcess extends Program {
  readonly kind: ServiceKind;
  readonly ports: ServicePorts;

  constructor(options: ServiceProcessOptions) {
    super(options);
    this.kind = options.kind;
    this.ports = options.ports;
  }

  /** Resolves to the reason why the process is not ready; undefined when it is. */
  async notReady(): Promise<string | undefined> {
    if (!this.isRunning) return `the process ended with ${this.ending}`;
    try {
      const reply = await fetch(`http://127.0.0.1:${this.ports.http}/readyz`, { signal: AbortSignal.timeout(ASK_MS) });
      if (reply.ok) return undefined;
      const { errors } = (await reply.json()) as { errors?: string[] };
      return errors?.join('; ') ?? `HTTP status ${reply.status}`;
    } catch (error) {
      return `no response from /readyz: ${messageOf(error)}`;
    }
  }

  /** Resolves when the process is ready. Throws `unavailable` with the end of its log when it ends or is too slow. */
  async ready(withinMs: number): Promise<void> {
    const deadlineMs = performance.now() + withinMs;
    for (;;) {
      const reason = await this.notReady();
      if (reason === undefined) return;
      if (!this.isRunning || performance.now() > deadlineMs) {
        throw new TidemarkError(
          'unavailable',
          `${this.name} is not ready: ${reason}; its last log lines:\n${this.logTail()}`,
        );
      }
      await delay(POLL_MS);
    }
  }
}
