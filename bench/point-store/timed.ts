/** Time that a part of a benchmark has taken. */
export interface Timed {
  wallMs: number;
  cpuMs: number;
  /** The part of the CPU that this thread took. */
  threadMs?: number;
}

/** Adds the time of `work` to `total`: CPU of all threads of this process. */
export async function timed(total: Timed, work: () => unknown): Promise<void> {
  const wall = performance.now();
  const cpu = process.cpuUsage();
  const thread = process.threadCpuUsage();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  total.wallMs += performance.now() - wall;
  total.cpuMs += (user + system) / 1000;
  const own = process.threadCpuUsage(thread);
  total.threadMs = (total.threadMs ?? 0) + (own.user + own.system) / 1000;
}

/** Time per point, in words. */
export function perPoint({ wallMs, cpuMs }: Timed, points: number): string {
  const ns = (ms: number): string => ((ms * 1e6) / points).toFixed(1);
  return `${ns(wallMs)} ns a point, CPU ${ns(cpuMs)} ns (${(cpuMs / 1000).toFixed(2)} s)`;
}
