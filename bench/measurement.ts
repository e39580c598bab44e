import { cpus, loadavg, totalmem } from 'node:os';

/** One figure of a benchmark, with a permanent name. */
export interface Measurement {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Conditions of the measurement: data, processes, machine. */
  readonly conditions: string;
}

/** Describes this machine, and its speed at this moment, for the conditions of a figure. */
export function machine(): string {
  const [cpu] = cpus();
  const memoryGiB = Math.round(totalmem() / 2 ** 30);
  const load = loadavg()[0].toFixed(1);
  return `${cpus().length} × ${cpu.model.trim()}, ${memoryGiB} GiB, ${process.platform}, Node ${process.versions.node}, load ${load}, reference step ${referenceStepNs().toFixed(1)} ns`;
}

const REFERENCE_STEPS = 20_000_000;
const REFERENCE_RUNS = 5;

/**
 * CPU time of one step of a fixed chain of integer operations, ns. A virtual machine may run at a quarter of its usual speed
 * without any load of its own: figures with different reference steps are of different machines.
 */
function referenceStepNs(): number {
  let sum = 0;
  const stepNs = Array.from({ length: REFERENCE_RUNS }, () => {
    const before = process.threadCpuUsage();
    for (let i = 0; i < REFERENCE_STEPS; i++) sum = (Math.imul(sum, 31) + i) | 0;
    const { user, system } = process.threadCpuUsage(before);
    return ((user + system) * 1000) / REFERENCE_STEPS;
  });
  // The sum is used, so that the loop is not removed.
  if (!Number.isInteger(sum)) throw new Error('the reference loop lost its sum');
  return median(stepNs);
}

/** Returns the median of an odd number of runs, which is the figure to quote on a noisy machine. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
