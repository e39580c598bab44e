import { setFlagsFromString } from 'node:v8';

/**
 * Largest half of the young generation of a thread's heap, MiB. By itself V8 lets each thread have 64 MiB and more, and gains
 * nothing by it: what a request allocates is either kept or garbage before 4 MiB more were allocated.
 */
const YOUNG_MIB = 4;
const YOUNG_FLAG = '--max-semi-space-size';
/** V8 takes underscores, too. */
const CHOSEN = /--max[-_]semi[-_]space[-_]size/;

/**
 * How glibc allocates. It has an arena for each thread, up to eight times the cores, and gives memory back from the end of an
 * arena only: what is small and stays keeps what was large and went. Large pieces are mappings of their own here.
 */
const MALLOC = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: String(128 * 1024),
  MALLOC_TRIM_THRESHOLD_: String(1024 * 1024),
} as const;

/**
 * What starts another process with bounded memory: flags of node and environment. What the environment has is not changed.
 * `compileCache` is the folder of compiled code: each thread that finds one of its files not there, even its first one, loads the
 * compiler that removes types, which takes 18 MiB.
 */
export function boundedMemory(
  environment: NodeJS.ProcessEnv,
  compileCache: string,
): { execArgv: string[]; env: NodeJS.ProcessEnv } {
  const env = { ...MALLOC, NODE_COMPILE_CACHE: compileCache, ...environment };
  return { execArgv: [`${YOUNG_FLAG}=${YOUNG_MIB}`], env };
}

/**
 * Starts the program of this process again, in its place and under its id, with flags that are read only at the start. Returns
 * where it has them, or cannot have them: with a size of the young generation that the caller chose, with a channel to a parent,
 * which would end, and on systems that cannot replace a process.
 */
export function boundMemory(process: NodeJS.Process, compileCache: string): void {
  const { env, execArgv, argv, execPath } = process;
  const isChosen = [...execArgv, env.NODE_OPTIONS ?? ''].some((flags) => CHOSEN.test(flags));
  if (isChosen || process.channel !== undefined || process.platform === 'win32' || process.execve === undefined) return;
  const bounded = boundedMemory(env, compileCache);
  try {
    process.execve(execPath, [execPath, ...execArgv, ...bounded.execArgv, ...argv.slice(1)], bounded.env);
  } catch {
    // Node's permission model refuses it: the program runs with the memory that it has then.
  }
}

/**
 * Lets V8 give memory of the heap back to the system. By itself it keeps what a collection frees for the heap's next growth,
 * permanently: a burst of definitions would stay in the process's memory. Costs no measurable CPU time.
 */
export function returnFreedHeap(): void {
  setFlagsFromString('--optimize-for-size');
}
