import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Client, connect } from '@tidemark/client';
import { assert } from '@tidemark/ports';
import { eventually } from '../process/eventually.ts';
import type { PlatformSettings } from '../process/messages.ts';
import { PlatformUnderTest } from '../process/platform-under-test.ts';
import { DESCRIPTIONS, POINTS, SERIES, STEP_MS, TENANTS, type Tenant } from './contents.ts';
import { spoolSent, spoolUnsent } from './spool.ts';

/** How the platform of a folder ended, and what is in the folder therefore. */
export const FOLDER_KINDS = ['stopped', 'killed', 'trimmed', 'committed'] as const;
export type FolderKind = (typeof FOLDER_KINDS)[number];

/** A folder that seeds copy and damage. */
export interface MadeFolder {
  readonly kind: FolderKind;
  readonly settings: PlatformSettings;
  /** Time of the first points, ms. */
  readonly startMs: number;
  /** Only bits of files whose names begin so are flipped. */
  readonly files: string;
  /** Of the tenants that need one. */
  readonly keys: Readonly<Partial<Record<Tenant, string>>>;
}

const PARTITIONS = 3;
/** Parts in which the points are sent; the platform is stopped and started after some of them. */
const PARTS = 6;
const RESTARTS = [1, 3];
/** More than the questions of a tenant, which are asked at once. */
const QUESTIONS_AT_ONCE = 64;
/** Small enough that the log has several segments. */
const SEGMENT_BYTES = 4096;
/** Commits that are not followed by a trim, so that they are in write-ahead files alone when the platform is killed. */
const COMMITTING = { points: { commitStepMs: 500 }, log: { segmentBytes: 3 * SEGMENT_BYTES } };
/** Points are this old when they are sent, so that answers are complete at once, and most points are late. */
const AGE_MS = 90_000;

/** Makes the folder of a kind below `parent` with a real platform, which has acknowledged everything in `contents.ts`. */
export async function makeFolder(kind: FolderKind, parent: string, files = ''): Promise<MadeFolder> {
  const folder = join(parent, kind);
  await mkdir(folder);
  const settings: PlatformSettings = {
    folder,
    partitions: PARTITIONS,
    ...(kind === 'trimmed' && { log: { segmentBytes: SEGMENT_BYTES } }),
    ...(kind === 'committed' && COMMITTING),
    query: { concurrentQueries: QUESTIONS_AT_ONCE },
  };
  const startMs = Math.floor((Date.now() - AGE_MS) / 1000) * 1000;
  let platform = await PlatformUnderTest.start(settings);
  try {
    const keys = { acme: await platform.createKey('acme', 'flips', ['send', 'read']) };
    for (let part = 0; part < PARTS; part++) {
      await sendPart(platform, keys, startMs, part);
      if (part === PARTS - 1) await spoolSent(platform, folder, startMs);
      if (!RESTARTS.includes(part)) continue;
      await platform.stop();
      platform = await PlatformUnderTest.start(settings);
    }
    if (kind === 'committed') await committed(platform);
    if (kind === 'killed' || kind === 'committed') await platform.kill9();
    else {
      await platform.stop();
      // The start writes what its write-ahead log has into tables, so the folder has both.
      platform = await PlatformUnderTest.start(settings);
      await platform.stop();
    }
    await spoolUnsent(folder, startMs);
    return { kind, settings, startMs, files, keys };
  } catch (error) {
    await platform.kill9();
    throw error;
  }
}

async function sendPart(
  platform: PlatformUnderTest,
  keys: Readonly<Partial<Record<Tenant, string>>>,
  startMs: number,
  part: number,
): Promise<void> {
  for (const tenant of TENANTS) {
    const client = await connect({
      ...{ address: platform.grpcAddress, name: `flips of ${tenant}`, flushIntervalMs: 0, backoffMs: 20 },
      ...(keys[tenant] !== undefined && { key: keys[tenant] }),
    });
    if (part === 0) describe(client, tenant);
    const share = POINTS / PARTS;
    for (let index = part * share; index < (part + 1) * share; index++) {
      for (const { metric, kind, tags, valueAt } of SERIES.filter((series) => series.tenant === tenant)) {
        client.series(metric, kind, tags, STEP_MS).record(valueAt(index), startMs + index * STEP_MS);
      }
      // Each flush is records of its own.
      if (index % 5 === 4) await acknowledged(client);
    }
    await acknowledged(client);
    await client.close();
  }
}

/** Resolves when the stores have committed all points of now. */
async function committed(platform: PlatformUnderTest): Promise<void> {
  const { points, forOperator } = await platform.status();
  assert(forOperator, 'an operator sees offsets');
  await eventually('the stores to commit', async () => {
    const now = await platform.status();
    return points.every(({ logNext }, i) => now.points[i].committedOffset >= logNext);
  });
}

function describe(client: Client, tenant: Tenant): void {
  for (const { tenant: owner, metric, unit, description } of DESCRIPTIONS) {
    if (owner === tenant) client.describe(metric, { unit, description });
  }
}

async function acknowledged(client: Client): Promise<void> {
  await client.flush();
  await client.settled();
  const { points, ackedPoints } = client.stats();
  if (ackedPoints !== points) throw new Error(`${points} points were sent, and ${ackedPoints} acknowledged`);
}
