import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Kills the child processes when this process ends for any reason. A shell reads their process ids from a pipe, and
 * acts when the other end of the pipe closes. It also removes a temporary folder.
 */
export class Watchdog {
  readonly #shell: ChildProcess;
  readonly #pids = new Set<number>();

  constructor(removedFolder: string | undefined) {
    const script = `trap '' INT TERM HUP; pids=; while read -r line; do pids=$line; done
[ -n "$pids" ] && kill -9 $pids 2>/dev/null
[ -n "$0" ] && for i in 1 2 3 4 5; do rm -rf "$0" && break; sleep 1; done`;
    this.#shell = spawn('/bin/sh', ['-c', script, removedFolder ?? ''], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    // Neither the shell nor its pipe keeps this process alive.
    this.#shell.unref();
    const pipe = this.#shell.stdin as (NodeJS.WritableStream & { unref?(): void }) | null;
    pipe?.on('error', () => undefined);
    pipe?.unref?.();
  }

  watch(pid: number): void {
    this.#pids.add(pid);
    this.#report();
  }

  forget(pid: number): void {
    this.#pids.delete(pid);
    this.#report();
  }

  /** Ends the watchdog. Call it after all processes have ended and their folder is removed. */
  close(): void {
    this.#shell.kill('SIGKILL');
  }

  #report(): void {
    this.#shell.stdin?.write(`${[...this.#pids].join(' ')}\n`);
  }
}
