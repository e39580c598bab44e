import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from '@jest/globals';
import { LocalDisk, SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { openEmbeddedLog } from './index.ts';

const WRITERS = 4;
const ACKS = 200;

/** Appends without end, and prints each acknowledged `writer sequence offset` on a line. */
const APPENDER = `
  const { openEmbeddedLog } = await import(${JSON.stringify(new URL('./index.ts', import.meta.url).href)});
  const { LocalDisk, SystemClock, SystemRandom } = await import(process.argv[2]);
  const log = await openEmbeddedLog({ disk: new LocalDisk(process.argv[1]), clock: new SystemClock(),
    random: new SystemRandom(), partitions: { points: 1 }, limits: { segmentBytes: 20000 } });
  for (let w = 0; w < ${WRITERS}; w++) (async () => {
    const writer = await log.writer('points', 0);
    for (let sequence = 0; ; sequence++) {
      const { offset } = await writer.append(sequence, Buffer.alloc(50 + sequence, w + ':' + sequence + ';'));
      process.stdout.write(w + ' ' + sequence + ' ' + offset + '\\n');
    }
  })();`;

test('kill -9 of the process loses nothing that it acknowledged', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-kill-'));
  const system = new URL('../../node-runtime/src/index.ts', import.meta.url).href;
  const child = spawn(process.execPath, ['--input-type=module', '-e', APPENDER, folder, system], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '', NODE_NO_WARNINGS: '1' },
  });
  const acked: { writer: number; sequence: number; offset: number }[] = [];
  const exited = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    if (!/^\d+ \d+ \d+$/.test(line)) continue;
    const [writer, sequence, offset] = line.split(' ').map(Number);
    acked.push({ writer, sequence, offset });
    if (acked.length === ACKS) child.kill('SIGKILL');
  }
  expect(await exited).toEqual([null, 'SIGKILL']);
  expect(acked.length).toBeGreaterThanOrEqual(ACKS);

  const log = await openEmbeddedLog({
    disk: new LocalDisk(folder),
    clock: new SystemClock(),
    random: new SystemRandom(),
    partitions: { points: 1 },
  });
  const { next } = await log.bounds('points', 0);
  const values: string[] = [];
  while (values.length < next) {
    const records = await log.read('points', 0, values.length, { maxBytes: 10_000, waitMs: 0 });
    expect(records.length).toBeGreaterThan(0);
    for (const record of records) values.push(Buffer.from(record.value).toString());
  }
  for (const { writer, sequence, offset } of acked) {
    expect(values[offset].startsWith(`${writer}:${sequence};`)).toBe(true);
    expect(values[offset]).toHaveLength(50 + sequence);
  }
  expect(new Set(values.map((value) => value.split(';')[0])).size).toBe(next);
  await log.close();
  await rm(folder, { recursive: true });
});
