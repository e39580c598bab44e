import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AgentStatus } from '@tidemark/agent';
import { eventually } from './eventually.ts';

const MAIN = fileURLToPath(new URL('../../apps/agent/src/main.ts', import.meta.url));
/** Nothing of the one who runs the tests. */
const ENVIRONMENT = { PATH: process.env.PATH, HOME: process.env.HOME };

/** The agent's own executable, with a settings file in `folder`. */
export class AgentUnderTest {
  readonly #child: ChildProcess;
  output = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString();
      });
    }
  }

  /** Resolves when it collects; its spool is in `folder` too. */
  static async start(folder: string, settings: Readonly<Record<string, object>>): Promise<AgentUnderTest> {
    const file = join(folder, 'agent.json');
    const all = { ...settings, data: { folder }, dogstatsd: { port: 0 }, agent: { statusPort: 0, ...settings.agent } };
    await writeFile(file, JSON.stringify(all));
    const agent = new AgentUnderTest(
      spawn(process.execPath, ['--no-warnings', MAIN, '--settings', file], { env: ENVIRONMENT }),
    );
    try {
      await eventually('the agent to be up', () => {
        if (agent.#child.exitCode !== null) throw new Error(`it ended: ${agent.output}`);
        return agent.output.includes('Ctrl-C stops it.');
      });
      return agent;
    } catch (error) {
      // The test has no reference to it yet, so only this can stop it.
      agent.#child.kill('SIGKILL');
      throw error;
    }
  }

  /** What it says of itself. */
  async status(): Promise<AgentStatus> {
    const url = /status +(http:\S+)/.exec(this.output)?.[1];
    if (url === undefined) throw new Error(`no status in ${this.output}`);
    return (await (await fetch(url)).json()) as AgentStatus;
  }

  /** Ends it cleanly, and gives its exit code. */
  stop(): Promise<number | null> {
    return this.#end('SIGTERM');
  }

  async kill9(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return this.#child.exitCode;
    const ended = once(this.#child, 'exit');
    this.#child.kill(signal);
    await ended;
    return this.#child.exitCode;
  }
}
