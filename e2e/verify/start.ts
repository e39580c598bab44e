import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartedPlatform } from './started-platform.ts';

const METRICS = ['system.cpu.user', 'system.mem.used', 'system.disk.in_use', 'system.net.bytes_rcvd', 'system.load.1'];
const WANTED_METRICS = 4;
const WANTED_WITHIN_MS = 15_000;
const COUNTED_WITHIN_MS = 60_000;

/**
 * Starts the platform in an empty folder, waits for the metrics of this machine, checks that completeness advances,
 * kills everything with SIGKILL, restarts, and compares the counts of complete points.
 */
export async function verifyStart(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-verify-'));
  let platform = await StartedPlatform.start(folder);
  try {
    const startedMs = performance.now();
    const fromSeconds = Math.floor(Date.now() / 1000) - 60;
    let complete = new Map<string, number>();
    await platform.waitFor(`${WANTED_METRICS} host metrics`, WANTED_WITHIN_MS, async () => {
      complete = await completeMetrics(platform, fromSeconds);
      return complete.size >= WANTED_METRICS;
    });
    console.log(
      `${complete.size} host metrics after ${Math.round(performance.now() - startedMs)} ms: ${[...complete.keys()].join(', ')}`,
    );
    for (const [metric, first] of complete) {
      await platform.waitFor(`complete_through of ${metric} to advance`, 10_000, async () => {
        const { complete_through: now } = await platform.query(`avg:${metric}{*}`, fromSeconds, Date.now() / 1000);
        return now !== null && now > first + 1;
      });
    }
    console.log('complete_through advances for each of them');
    let through = 0;
    let before = new Map<string, number>();
    // A metric without complete points proves nothing.
    await platform.waitFor('a point of each metric to be complete', COUNTED_WITHIN_MS, async () => {
      through = Math.floor(Math.min(...(await completeMetrics(platform, fromSeconds)).values()));
      before = await counts(platform, fromSeconds, through);
      return [...complete.keys()].every((metric) => (before.get(metric) ?? 0) > 0);
    });
    await platform.kill();
    console.log(`killed with SIGKILL; complete through ${new Date(through * 1000).toISOString()}`);
    platform = await StartedPlatform.start(folder);
    await platform.waitFor('the same range to be complete again', 30_000, async () => {
      const { complete_through: now } = await platform.query(`avg:${METRICS[0]}{*}`, fromSeconds, through);
      return now !== null && now >= through;
    });
    const after = await counts(platform, fromSeconds, through);
    for (const [metric, count] of before) {
      if (after.get(metric) !== count)
        throw new Error(`${metric}: ${count} points before, ${after.get(metric)} after the kill`);
    }
    console.log(
      `counts equal after the restart: ${[...before].map(([metric, count]) => `${metric} ${count}`).join(', ')}`,
    );
  } finally {
    await platform.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Returns the metrics with points, and through which second they are complete. */
async function completeMetrics(platform: StartedPlatform, fromSeconds: number): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const metric of METRICS) {
    const { series, complete_through: through } = await platform.query(
      `avg:${metric}{*}`,
      fromSeconds,
      Date.now() / 1000,
    );
    if (through !== null && series.some(({ pointlist }) => pointlist.length > 0)) found.set(metric, through);
  }
  return found;
}

/** Points of each metric in whole seconds below `through`. */
async function counts(platform: StartedPlatform, fromSeconds: number, through: number): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const metric of METRICS) {
    const { series } = await platform.query(`sum:${metric}{*}.rollup(count, 1)`, fromSeconds, through);
    let sum = 0;
    for (const { pointlist } of series)
      for (const [timeMs, value] of pointlist) if (timeMs < through * 1000) sum += value;
    found.set(metric, sum);
  }
  return found;
}
