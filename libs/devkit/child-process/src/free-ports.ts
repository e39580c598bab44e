import { randomInt } from 'node:crypto';
import { mkdir, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Below what systems hand out to outgoing connections: those would take a port before it is used. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;
const ATTEMPTS = 1000;
/** Who was given a port listens on it by then, or never will. */
const CLAIM_MS = 120_000;
/** Of one user: another one's files could not be touched. */
const CLAIMS = join(tmpdir(), `tidemark-ports-${process.getuid?.() ?? 'all'}`);

/**
 * `count` ports of loopback that were free a moment ago, all different, and that no other process of this project was
 * given in the last two minutes: tests beside each other start brokers and services that take seconds until they listen.
 */
export async function freePorts(count: number): Promise<number[]> {
  await mkdir(CLAIMS, { recursive: true });
  const ports: number[] = [];
  for (let attempt = 1; ports.length < count; attempt++) {
    if (attempt > ATTEMPTS + count) throw new Error(`found ${ports.length} of ${count} free ports`);
    const port = randomInt(FIRST_PORT, LAST_PORT);
    if ((await claim(port)) && (await isFree(port))) ports.push(port);
  }
  return ports;
}

/** Puts an empty file there for the port; its age says whether somebody else did so lately. */
async function claim(port: number): Promise<boolean> {
  const path = join(CLAIMS, String(port));
  try {
    await writeFile(path, '', { flag: 'wx' });
    return true;
  } catch {
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs < CLAIM_MS) return false;
    const now = new Date();
    await utimes(path, now, now);
    return true;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
