import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { claim, freePorts } from './free-ports.ts';

test('concurrent calls get different ports, and each port is free to listen on', async () => {
  const asked = await Promise.all(Array.from({ length: 40 }, () => freePorts(15)));
  const ports = asked.flat();
  expect(new Set(ports).size).toBe(600);
  const servers = await Promise.all(
    ports.slice(0, 50).map(
      (port) =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer().once('error', reject);
          server.listen(port, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
});

describe('claims', () => {
  /** Names of claims have the number of their stretch of two minutes. */
  const STRETCH_MS = 120_000;
  const STRETCH = 1000;
  let folder: string;
  let nowMs: number;
  const claims = () => ({ folder, nowMs: () => nowMs });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark-claims-'));
    nowMs = STRETCH * STRETCH_MS + 60_000;
  });

  afterEach(() => rm(folder, { recursive: true }));

  /** Writes the claim of another caller, of `ageMs` ago. */
  async function claimedBefore(port: number, ageMs: number): Promise<string> {
    const claimedMs = nowMs - ageMs;
    const name = `${port}-${Math.floor(claimedMs / STRETCH_MS)}`;
    await writeFile(join(folder, name), '');
    await utimes(join(folder, name), claimedMs / 1000, claimedMs / 1000);
    return name;
  }

  test('expired claims and other files are deleted, those of the last two stretches stay', async () => {
    const current = await claimedBefore(1, 0);
    const before = await claimedBefore(2, STRETCH_MS);
    await claimedBefore(3, 2 * STRETCH_MS);
    await claimedBefore(4, 500 * STRETCH_MS);
    await writeFile(join(folder, 'notes'), '');
    const [port] = await freePorts(1, claims());
    expect((await readdir(folder)).sort()).toEqual([current, before, `${port}-${STRETCH}`].sort());
  });

  test('a port is claimed once within two minutes, also across the limit of two stretches', async () => {
    expect([await claim(1, claims()), await claim(1, claims())]).toEqual([true, false]);
    await claimedBefore(2, STRETCH_MS - 1);
    expect(await claim(2, claims())).toBe(false);
    await claimedBefore(3, STRETCH_MS);
    expect(await claim(3, claims())).toBe(true);
  });
});
