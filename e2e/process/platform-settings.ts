import { parseSettings, type Settings } from '@tidemark/settings';
import type { PlatformSettings } from './messages.ts';

/** Returns the defaults with shorter waits and the settings of the test, which may be out of range. */
export function settingsOf({ folder, ...given }: PlatformSettings): Settings {
  const defaults = parseSettings({});
  return {
    ...defaults,
    data: { folder, partitions: given.partitions ?? 2 },
    listen: { ...defaults.listen, host: given.host ?? '127.0.0.1' },
    http: {
      ...defaults.http,
      port: given.httpPort ?? 0,
      connections: given.connections ?? defaults.http.connections,
      receiveMs: given.receiveMs ?? defaults.http.receiveMs,
    },
    grpc: {
      ...defaults.grpc,
      port: given.grpcPort ?? 0,
      connections: given.connections ?? defaults.grpc.connections,
    },
    completeness: { latenessMs: given.latenessMs ?? 300 },
    budgets: { tenantSeries: given.tenantSeries ?? 1_000_000, metricSeries: given.metricSeries ?? 1_000_000 },
    intake: { ...defaults.intake, ...given.intake },
    point: { ...defaults.point, ...given.intake },
    lane: { ...defaults.lane, lingerMs: 10, markMs: 100, openDelayMs: 20, ...given.timing },
    store: { ...defaults.store, threads: 1, ...given.points },
    log: { ...defaults.log, ...given.log },
    query: { ...defaults.query, ...given.query },
  };
}
