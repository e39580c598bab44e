import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FromPlayer, ToPlayer } from './messages.ts';
import type { FlipResult } from './run-flip.ts';

const PROCESS = fileURLToPath(new URL('./player-process.ts', import.meta.url));
/** Time after which a seed counts as hanging: many times the usual time. */
const SEED_MS = 120_000;
/** Seeds after which the process is replaced, so that what one leaves behind does not add up. */
const SEEDS_OF_A_PROCESS = 250;
const OUTPUT_CHARACTERS = 4000;
/** Folder of compiled code, which halves the time of a start. */
const ENVIRONMENT = {
  ...process.env,
  NODE_COMPILE_CACHE: fileURLToPath(new URL('../../node_modules/.cache/e2e', import.meta.url)),
};

/** A process that plays seeds, replaced when it crashes or hangs. */
export class Player {
  #child: ChildProcess | undefined;
  #output = '';
  #played = 0;

  /** Plays a seed; returns why the process ended instead, or that it hangs. */
  async play(task: ToPlayer): Promise<FlipResult | string> {
    if (this.#played++ >= SEEDS_OF_A_PROCESS) await this.end();
    this.#child ??= await this.#start();
    const child = this.#child;
    this.#output = '';
    const ended = new AbortController();
    child.send(task);
    const result = await Promise.race([
      resultOf(child, ended.signal),
      once(child, 'exit', { signal: ended.signal }).then(
        ([code, signal]) => `the process ended with ${code ?? signal}: ${this.#output}`,
      ),
      hang(ended.signal),
    ]);
    ended.abort();
    if (typeof result === 'string') await this.end();
    return result;
  }

  async end(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    this.#played = 0;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  async #start(): Promise<ChildProcess> {
    const child = fork(PROCESS, [], { execArgv: [], stdio: 'pipe', env: ENVIRONMENT });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (bytes: Buffer) => {
        this.#output = (this.#output + bytes.toString()).slice(-OUTPUT_CHARACTERS);
      });
    }
    await once(child, 'message');
    return child;
  }
}

function resultOf(child: ChildProcess, signal: AbortSignal): Promise<FlipResult | string> {
  return once(child, 'message', { signal }).then(([message]) => {
    const done = message as FromPlayer;
    return done.type === 'done' ? done.result : 'the process began again';
  });
}

function hang(signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(`no result within ${SEED_MS / 1000} s`), SEED_MS);
    signal.addEventListener('abort', () => clearTimeout(timer));
  });
}
