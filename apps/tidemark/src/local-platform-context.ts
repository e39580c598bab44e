import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PlatformContext } from '@tidemark/assembly/one-process';
import { SystemClock } from '@tidemark/node-runtime';
import type { Events } from '@tidemark/ports';
import type { Settings } from '@tidemark/settings';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Returns the context of a platform on this machine. An existing data folder keeps its number of partitions. */
export function localPlatformContext(settings: Settings, events: Events): PlatformContext {
  const { data } = settings;
  const partitions = partitionsIn(resolve(data.folder)) ?? data.partitions;
  const page = join(ROOT, 'apps', 'page', 'dist');
  return {
    settings: { ...settings, data: { ...data, partitions } },
    events,
    clock: new SystemClock(),
    protoFolder: join(ROOT, 'proto'),
    ...(existsSync(page) ? { pageFolder: page } : {}),
  };
}

/**
 * Counts the partitions of a data folder. The log creates all of them at its first start, before any other decision.
 */
function partitionsIn(folder: string): number | undefined {
  const points = join(folder, 'log', 'points');
  if (!existsSync(points)) return undefined;
  return readdirSync(points).filter((name) => /^\d+$/.test(name)).length || undefined;
}
