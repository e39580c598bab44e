/**
 * Flags of node for programs whose threads start and end all the time, and load TypeScript: V8 shares compiled wrappers
 * between WebAssembly and JavaScript among threads, and may end the process when it frees one (docs/decisions/0010-webassembly.md).
 */
export const THREAD_FLAGS = ['--wasm-wrapper-tiering-budget=2147483647'];
