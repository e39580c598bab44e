import { readFileSync } from 'node:fs';
import { getHeapStatistics } from 'node:v8';

/** Bytes of a part of the memory of a thread or of the process. */
export interface MemoryUse {
  readonly part: string;
  readonly bytes: number;
}

/** The memory of the calling thread, without what native libraries take for it, and without `namedBytes` of WebAssembly's. */
export function threadMemory(namedBytes = 0): MemoryUse[] {
  const { external, arrayBuffers } = process.memoryUsage();
  return [
    { part: 'heap', bytes: getHeapStatistics().total_physical_size },
    { part: 'buffers', bytes: arrayBuffers },
    { part: 'external', bytes: Math.max(0, external - arrayBuffers - namedBytes) },
  ];
}

/** The memory of the process that is in RAM. */
export function processMemory(): MemoryUse[] {
  return [
    { part: 'resident', bytes: process.memoryUsage.rss() },
    { part: 'peak', bytes: process.resourceUsage().maxRSS * 1024 },
    ...codeMemory(),
  ];
}

/** What is in RAM of mapped files, as Linux counts it; nothing elsewhere. */
function codeMemory(): MemoryUse[] {
  try {
    const kib = /^RssFile:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return kib === undefined ? [] : [{ part: 'code', bytes: Number(kib) * 1024 }];
  } catch {
    return [];
  }
}
