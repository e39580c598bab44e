import { join } from 'node:path';
import { Platform } from '@tidemark/assembly/one-process';
import { growHeapsFreely, returnFreedHeap, shareNoWrappers } from '@tidemark/executable';
import { parseSettings } from '@tidemark/settings';
import { DataClock } from './data-clock.ts';
import { folderBytes } from './folder-bytes.ts';
import type { FromPlatform, PlatformReport, ToPlatform } from './messages.ts';

/**
 * The platform under a benchmark: everything is as in `npm start`, except that accept stamps follow the data instead of
 * the wall clock. Leases and timers are real.
 */
growHeapsFreely();
returnFreedHeap();
shareNoWrappers();
const [folder, startMs] = [process.argv[2], Number(process.argv[3])];
const clock = new DataClock(startMs);
const PARTITIONS = 4;
const defaults = parseSettings({});
const platform = await Platform.start({
  settings: {
    ...defaults,
    data: { folder, partitions: PARTITIONS },
    http: { ...defaults.http, port: 0 },
    grpc: { ...defaults.grpc, port: 0 },
    completeness: { latenessMs: 20_000 },
    budgets: { tenantSeries: 10_000_000, metricSeries: 10_000_000 },
  },
  protoFolder: new URL('../../proto', import.meta.url).pathname,
  clock,
  acceptClock: clock,
  events: { info: () => undefined, error: (message, detail) => console.error(message, detail), fatal: fail },
});
while (platform.intake.session?.isReady !== true) await new Promise((resolve) => setTimeout(resolve, 20));
process.on('message', (message: ToPlatform) => void receive(message));
send({ type: 'ready', port: platform.grpcPort, httpPort: platform.httpPort });

async function receive(message: ToPlatform): Promise<void> {
  if (message.type === 'clock') clock.advance(message.nowMs);
  else if (message.type === 'report') send({ type: 'report', id: message.id, report: await report() });
  else {
    await platform.stop();
    process.exit(0);
  }
}

async function report(): Promise<PlatformReport> {
  const { user, system: kernel } = process.cpuUsage();
  const sums = { points: 0, latePoints: 0, duplicatePoints: 0 };
  let closedBuckets = Number.POSITIVE_INFINITY;
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const status = await platform.stores.call('points', 'status', { partition });
    sums.points += status.points;
    sums.latePoints += status.latePoints;
    sums.duplicatePoints += status.duplicatePoints;
    closedBuckets = Math.min(closedBuckets, status.stateHashes.length);
  }
  return {
    cpuSeconds: (user + kernel) / 1e6,
    ...sums,
    closedBuckets,
    logBytes: folderBytes(join(folder, 'log', 'points')),
    rssBytes: process.memoryUsage.rss(),
  };
}

function send(message: FromPlatform): void {
  process.send?.(message);
}

function fail(error: Error): void {
  console.error(error);
  process.exit(1);
}
