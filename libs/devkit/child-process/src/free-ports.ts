import { randomInt } from 'node:crypto';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The range is below the ports of outgoing connections, which could occupy a port before its use. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;
const ATTEMPTS = 1000;
/** A caller that was given a port listens on it by then, or never will. */
const CLAIM_MS = 120_000;
/** A folder per user: the files of another user can't be deleted. */
const CLAIMS: Claims = { folder: join(tmpdir(), `tidemark-ports-${process.getuid?.() ?? 'all'}`), nowMs: Date.now };

/** Files that say which ports were given to callers. */
export interface Claims {
  readonly folder: string;
  readonly nowMs: () => number;
}

/**
 * Returns `count` different loopback ports that were free a moment ago, and that no other process of this project got
 * in the last two minutes: parallel tests start brokers and services that take seconds until they listen.
 */
export async function freePorts(count: number, claims: Claims = CLAIMS): Promise<number[]> {
  await mkdir(claims.folder, { recursive: true });
  await deleteExpired(claims);
  const ports: number[] = [];
  for (let attempt = 1; ports.length < count; attempt++) {
    if (attempt > ATTEMPTS + count) throw new Error(`only ${ports.length} free ports found (requested: ${count})`);
    const port = randomInt(FIRST_PORT, LAST_PORT);
    if ((await claim(port, claims)) && (await isFree(port))) ports.push(port);
  }
  return ports;
}

/**
 * Creates an empty file for the port and this stretch of time: only one caller can. The file of the stretch before says
 * whether another caller has claimed the port within the last two minutes.
 */
export async function claim(port: number, { folder, nowMs }: Claims): Promise<boolean> {
  const stretch = Math.floor(nowMs() / CLAIM_MS);
  try {
    await writeFile(join(folder, `${port}-${stretch}`), '', { flag: 'wx' });
  } catch {
    return false;
  }
  try {
    const { mtimeMs } = await stat(join(folder, `${port}-${stretch - 1}`));
    return nowMs() - mtimeMs >= CLAIM_MS;
  } catch {
    return true;
  }
}

/** Deletes claims that have expired, of this and of earlier runs. */
async function deleteExpired({ folder, nowMs }: Claims): Promise<void> {
  const stretch = Math.floor(nowMs() / CLAIM_MS);
  const expired = (await readdir(folder)).filter((name) => !(Number(name.split('-')[1]) >= stretch - 1));
  await Promise.all(expired.map((name) => rm(join(folder, name), { force: true })));
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
