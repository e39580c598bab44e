import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePorts } from '@tidemark/child-process';

const READY_MS = 60_000;

/** The process of a peer: a program that reports over HTTP that it is ready. */
export class ServerProcess {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.#child = child;
  }

  /** Starts `program`. `argsOf` gets the address `host:port`; `readyPath` answers 2xx when the program is ready. */
  static async start(
    program: string,
    argsOf: (address: string) => readonly string[],
    readyPath: string,
  ): Promise<ServerProcess> {
    const [port] = await freePorts(1);
    const address = `127.0.0.1:${port}`;
    const child = spawn(program, [...argsOf(address)], { stdio: ['ignore', 'ignore', 'inherit'] });
    // A failed comparison must not leave the process running.
    process.once('exit', () => child.kill('SIGKILL'));
    const server = new ServerProcess(`http://${address}`, child);
    const deadlineMs = performance.now() + READY_MS;
    while (!(await isUp(server.url + readyPath))) {
      if (child.exitCode !== null || performance.now() > deadlineMs)
        throw new Error(`${program} did not start in time`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return server;
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error('the server process has no pid: it did not start');
    return pid;
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGINT');
    await ended;
  }
}

async function isUp(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}
