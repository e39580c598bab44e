import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PlatformContext } from '@tidemark/assembly/one-process';
import { refuseUnfinishedRestore, SystemClock } from '@tidemark/node-runtime';
import type { Events } from '@tidemark/ports';
import type { Settings } from '@tidemark/settings';
import { partitionsIn } from './partitions-in.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * Returns the context of a platform on this machine. An existing data folder keeps its number of partitions. Error:
 * `failed_precondition` when a partition is missing in it.
 */
export function localPlatformContext(settings: Settings, events: Events): PlatformContext {
  const { data } = settings;
  refuseUnfinishedRestore(resolve(data.folder));
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
