import { cpus, loadavg, totalmem } from 'node:os';

/** One figure of a benchmark, with a permanent name. */
export interface Measurement {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Conditions of the measurement: data, processes, machine. */
  readonly conditions: string;
}

/** Describes this machine for the conditions of a figure. */
export function machine(): string {
  const [cpu] = cpus();
  const memoryGiB = Math.round(totalmem() / 2 ** 30);
  const load = loadavg()[0].toFixed(1);
  return `${cpus().length} × ${cpu.model.trim()}, ${memoryGiB} GiB, ${process.platform}, Node ${process.versions.node}, load ${load}`;
}

/** Returns the median of an odd number of runs, which is the figure to quote on a noisy machine. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
