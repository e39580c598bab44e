import { setFlagsFromString } from 'node:v8';

/** Calls after which V8 would compile a wrapper: never. Also a flag of node for tests (tools/node-flags.mjs). */
const TIERING_BUDGET = 2 ** 31 - 1;

/**
 * Lets WebAssembly call JavaScript through V8's generic wrapper only, in all threads that start later. V8 shares compiled
 * wrappers among the threads of a process, and may end the process when one thread frees a wrapper while others start or
 * end (docs/decisions/0010-webassembly.md).
 */
export function shareNoWrappers(): void {
  setFlagsFromString(`--wasm-wrapper-tiering-budget=${TIERING_BUDGET}`);
}
