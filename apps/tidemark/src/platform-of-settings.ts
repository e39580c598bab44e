import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PlatformEvents, PlatformOptions } from '@tidemark/assembly/one-process';
import { SystemClock } from '@tidemark/node-runtime';
import type { Settings } from '@tidemark/settings';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** What the settings say about the platform. */
export function platformOptions(
  settings: Settings,
  events: PlatformEvents,
): Omit<PlatformOptions, 'statusExtra' | 'requestLog'> {
  const { data, listen, http, grpc, completeness, budgets, point, intake, lane, log, store, query } = settings;
  const { requests, remoteWrite, datadog } = settings;
  const { threads, ...limits } = store;
  const { port: httpPort, ...httpLimits } = http;
  const { port: grpcPort, ...grpcLimits } = grpc;
  const page = join(ROOT, 'apps', 'page', 'dist');
  return {
    folder: resolve(data.folder),
    host: listen.host,
    loopbackNeedsKey: listen.loopbackNeedsKey,
    httpPort,
    grpcPort,
    partitions: partitionsIn(resolve(data.folder)) ?? data.partitions,
    storeThreads: threads,
    latenessMs: completeness.latenessMs,
    tenantSeries: budgets.tenantSeries,
    metricSeries: budgets.metricSeries,
    intake: { ...intake, ...point },
    timing: lane,
    requests,
    remoteWrite,
    datadog,
    points: limits,
    log,
    query,
    grpc: grpcLimits,
    http: httpLimits,
    pageFolder: existsSync(page) ? page : undefined,
    protoFolder: join(ROOT, 'proto'),
    clock: new SystemClock(),
    events,
  };
}

/** How many partitions a data folder has; the log makes them all at its first start, before anything is decided. */
function partitionsIn(folder: string): number | undefined {
  const points = join(folder, 'log', 'points');
  if (!existsSync(points)) return undefined;
  return readdirSync(points).filter((name) => /^\d+$/.test(name)).length || undefined;
}
