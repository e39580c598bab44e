import { Worker } from 'node:worker_threads';
import type { HostAgent, HostAgentPlace } from '@tidemark/host-agent';
import { compileCacheFolder, type MemoryUse } from '@tidemark/node-runtime';
import { TidemarkError } from '@tidemark/ports';
import type { AgentStart, FromAgent } from './agent-messages.ts';

export interface AgentThreadOptions extends Pick<AgentStart, 'settings' | 'place'>, Pick<HostAgentPlace, 'onProblem'> {
  /** Called when the thread ends by an error; the platform continues without the agent. */
  readonly onFailed: (error: Error) => void;
}

/**
 * The agent of this host in a thread of its own: however much DogStatsD sends, requests and acknowledgements do not wait
 * for it. It sends to the platform as any agent does.
 */
export class AgentThread {
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  #status: HostAgent['status'] | undefined;
  #memory: readonly MemoryUse[] = [];
  #dogstatsd = '';

  private constructor(worker: Worker) {
    this.#worker = worker;
    this.#ended = new Promise((resolve) => worker.once('exit', () => resolve()));
  }

  /** Starts the thread; resolves when the agent collects. Throws the errors of `HostAgent.start`. */
  static async start({ settings, place, onProblem, onFailed }: AgentThreadOptions): Promise<AgentThread> {
    const start: AgentStart = { settings, place, compileCache: compileCacheFolder() };
    const thread = new AgentThread(
      new Worker(new URL('./agent-thread-main.ts', import.meta.url), { workerData: start }),
    );
    let isReady = false;
    await new Promise<void>((resolve, reject) => {
      thread.#worker.on('error', (error) => {
        if (isReady) onFailed(error);
        else reject(error);
      });
      thread.#worker.once('exit', (code) => reject(new Error(`the thread of the agent ended with ${code}`)));
      thread.#worker.on('message', (message: FromAgent) => {
        if (message.type === 'status') {
          thread.#status = message.status;
          thread.#memory = message.memory;
        } else if (message.type === 'problem') onProblem(message.message, message.detail);
        else if (message.type === 'refused') reject(new TidemarkError(message.code, message.message, message.detail));
        else {
          isReady = true;
          thread.#dogstatsd = message.dogstatsd;
          resolve();
        }
      });
    });
    return thread;
  }

  /** Memory of the thread, at most a second old; none until it has reported it. */
  get memory(): readonly MemoryUse[] {
    return this.#memory;
  }

  /** State of the agent, at most a second old. */
  get status(): HostAgent['status'] | undefined {
    return this.#status;
  }

  /** Addresses that DogStatsD listens on; empty when they were in use. */
  get dogstatsd(): string {
    return this.#dogstatsd;
  }

  /** Sends all readings and waits for acknowledgements; the spool keeps unacknowledged batches for the next run. */
  async stop(): Promise<void> {
    this.#worker.postMessage('stop');
    await this.#ended;
  }
}
