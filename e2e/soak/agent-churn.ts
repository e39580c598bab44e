import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Program, type Watchdog } from '@tidemark/child-process';

const MAIN = fileURLToPath(new URL('../../apps/agent/src/main.ts', import.meta.url));
/** Turns that an agent lives for. */
const LIFE_TURNS = 3;

/** Agents of hosts that come and go: each has a name and a spool of its own, and is killed without a farewell. */
export class AgentChurn {
  readonly #folder: string;
  readonly #address: string;
  readonly #watchdog: Watchdog;
  #agent: { readonly program: Program; readonly folder: string } | undefined;
  #turns = 0;
  count = 0;

  constructor(folder: string, address: string, watchdog: Watchdog) {
    this.#folder = folder;
    this.#address = address;
    this.#watchdog = watchdog;
  }

  /** Starts the next agent when the last one has had its turns. */
  async turn(): Promise<void> {
    if (this.#turns++ % LIFE_TURNS !== 0) return;
    await this.end();
    const folder = join(this.#folder, String(this.count));
    await mkdir(folder, { recursive: true });
    const settings = join(folder, 'agent.json');
    const agent = { addresses: [this.#address], hostname: `host-${this.count}`, statusPort: 0 };
    await writeFile(settings, JSON.stringify({ agent, data: { folder }, dogstatsd: { port: 0 } }));
    const command = [process.execPath, '--no-warnings', MAIN, '--settings', settings];
    const program = new Program({ name: 'agent', command, logFile: join(folder, 'log'), watchdog: this.#watchdog });
    program.spawn();
    this.#agent = { program, folder };
    this.count++;
  }

  async end(): Promise<void> {
    const ended = this.#agent;
    this.#agent = undefined;
    if (ended === undefined) return;
    await ended.program.kill();
    await rm(ended.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
