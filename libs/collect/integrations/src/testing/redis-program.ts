import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { cacheFolder } from '@tidemark/child-process';

const run = promisify(execFile);
const CACHE = join(cacheFolder(), 'redis');
/** Packages of the server. `LIBRARIES` may be absent from a bare machine; names differ between distributions. */
const PACKAGES = ['redis-server', 'redis-tools'];
const LIBRARIES = [
  'libjemalloc2',
  'liblzf1',
  'liblua5.1-0',
  'lua-bitop',
  'lua-cjson',
  'libatomic1',
  'libssl3',
  'libssl3t64',
];
const DOWNLOAD_MS = 120_000;
const ATTEMPTS = 5;
const RETRY_MS = 3_000;

/** How to run a Redis server. */
export interface RedisProgram {
  readonly path: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Returns the installed server, or the one of the distribution's package in a cache, or why there is none. */
export async function redisProgram(): Promise<RedisProgram | string> {
  const installed: RedisProgram = { path: 'redis-server', environment: process.env };
  if (works(installed)) return installed;
  const cached = await unpacked(CACHE);
  if (cached !== undefined && works(cached)) return cached;
  if (spawnSync('apt-get', ['--version']).status !== 0) {
    return 'no redis-server in the PATH, and no apt-get to download it';
  }
  try {
    await fetchInto(CACHE);
  } catch (error) {
    return `no redis-server in the PATH, and the download of its package failed: ${String(error).slice(0, 200)}`;
  }
  const fetched = await unpacked(CACHE);
  return fetched !== undefined && works(fetched)
    ? fetched
    : 'the redis-server of the downloaded package does not run on this machine';
}

function works({ path, environment }: RedisProgram): boolean {
  return spawnSync(path, ['--version'], { env: { ...environment } }).status === 0;
}

async function unpacked(folder: string): Promise<RedisProgram | undefined> {
  const path = join(folder, 'usr', 'bin', 'redis-server');
  if (!existsSync(path)) return undefined;
  const places = [join(folder, 'usr', 'lib'), join(folder, 'lib')].filter(existsSync);
  const nested = await Promise.all(
    places.map(async (place) => (await readdir(place)).map((name) => join(place, name))),
  );
  return { path, environment: { ...process.env, LD_LIBRARY_PATH: [...places, ...nested.flat()].join(':') } };
}

/** Downloads into `folder` only. Needs no root, except to update missing package lists. */
async function fetchInto(folder: string): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'tidemark-redis-'));
  const download = (name: string) => run('apt-get', ['download', '-q', name], { cwd: scratch, timeout: DOWNLOAD_MS });
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        for (const name of PACKAGES) await download(name);
        break;
      } catch (error) {
        if (attempt === ATTEMPTS) throw error;
        // Fails without root, or while another process updates the lists; the next attempt may still find them.
        await run('apt-get', ['update', '-q'], { timeout: DOWNLOAD_MS }).catch(() => delay(RETRY_MS));
      }
    }
    // Most are installed already, and no distribution has all of them.
    for (const name of LIBRARIES) await download(name).catch(() => undefined);
    const whole = join(scratch, 'whole');
    await mkdir(whole);
    for (const file of await readdir(scratch)) {
      if (file.endsWith('.deb')) await run('dpkg', ['-x', join(scratch, file), whole]);
    }
    await mkdir(join(folder, '..'), { recursive: true });
    // Another test may have unpacked it first; its copy is equivalent.
    await rename(whole, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
