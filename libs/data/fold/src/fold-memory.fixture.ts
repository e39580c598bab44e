import type { FoldMemory } from './fold-kernel.ts';

/** A memory of 1 MiB for one test file, as the kernel of pages has it. It does not grow. */
export function foldMemory(): FoldMemory {
  const memory = new WebAssembly.Memory({ initial: 16 });
  return { memory, bytes: new Uint8Array(memory.buffer), floats: new Float64Array(memory.buffer), reserve: () => {} };
}
