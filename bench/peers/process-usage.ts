import { readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

/** What a process has used so far, by Linux' own count: all its threads. */
export interface ProcessUsage {
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
}

export function processUsage(pid: number): ProcessUsage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name is in brackets and may hold anything; what follows is in fixed places.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    peakRssBytes: Number(peak ?? 0) * 1024,
  };
}
