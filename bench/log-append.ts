/**
 * Claim `log-append`: bytes that the embedded log accepts with fsync on. Prints a table. Every append is acknowledged
 * only when it is durable.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedLog } from '@tidemark/embedded-log';
import { LocalDisk, SystemClock, SystemRandom } from '@tidemark/node-runtime';
import type { DiskFile } from '@tidemark/ports';
import { type Measurement, machine } from './measurement.ts';

interface Case {
  readonly name: string;
  readonly valueBytes: number;
  readonly writers: number;
  readonly partitions: number;
  readonly appends: number;
  /** Omits fsync, to measure the log itself. */
  readonly unsynced?: boolean;
}

const CASES: readonly Case[] = [
  { name: 'blocks, one writer', valueBytes: 256 * 1024, writers: 1, partitions: 1, appends: 1500 },
  { name: 'blocks, 4 partitions', valueBytes: 256 * 1024, writers: 4, partitions: 4, appends: 4000 },
  { name: 'blocks, 8 writers of one partition', valueBytes: 256 * 1024, writers: 8, partitions: 1, appends: 4000 },
  {
    name: 'blocks, 4 partitions, no fsync',
    valueBytes: 256 * 1024,
    writers: 4,
    partitions: 4,
    appends: 4000,
    unsynced: true,
  },
  { name: 'small, one writer', valueBytes: 200, writers: 1, partitions: 1, appends: 4000 },
  { name: 'small, 64 writers of one partition', valueBytes: 200, writers: 64, partitions: 1, appends: 60000 },
];

class UnsyncedDisk extends LocalDisk {
  override async open(path: string, options?: { create?: boolean }): Promise<DiskFile> {
    const file = await super.open(path, options);
    file.sync = async () => undefined;
    return file;
  }
}

async function measure({ name, valueBytes, writers, partitions, appends, unsynced }: Case, folder: string) {
  const path = join(folder, name.replaceAll(/\W+/g, '-'));
  const log = await openEmbeddedLog({
    disk: unsynced ? new UnsyncedDisk(path) : new LocalDisk(path),
    clock: new SystemClock(),
    random: new SystemRandom(),
    partitions: { points: partitions },
  });
  const value = new SystemRandom().bytes(valueBytes);
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  await Promise.all(
    Array.from({ length: writers }, async (_, index) => {
      const writer = await log.writer('points', index % partitions);
      for (let sequence = 0; sequence < appends / writers; sequence++) await writer.append(sequence, value);
    }),
  );
  const seconds = (performance.now() - startMs) / 1000;
  const cpu = process.cpuUsage(cpuBefore);

  const readStartMs = performance.now();
  let readBytes = 0;
  for (let partition = 0; partition < partitions; partition++) {
    const { next } = await log.bounds('points', partition);
    for (let from = 0; from < next; ) {
      const records = await log.read('points', partition, from, { maxBytes: 2 ** 20, waitMs: 0 });
      for (const record of records) readBytes += record.value.length;
      from += records.length;
    }
  }
  const readSeconds = (performance.now() - readStartMs) / 1000;
  await log.close();
  return {
    case: name,
    'MB/s': Math.round((appends * valueBytes) / seconds / 1e6),
    'appends/s': Math.round(appends / seconds),
    'CPU s': Number(((cpu.user + cpu.system) / 1e6).toFixed(2)),
    'read MB/s': Math.round(readBytes / readSeconds / 1e6),
  };
}

/** Prints a table of all cases. The claim is the case of blocks over four partitions. */
export async function logAppend(): Promise<Measurement[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-log-append-'));
  try {
    const rows = [];
    for (const each of CASES) rows.push(await measure(each, folder));
    console.table(rows);
    const [, blocks] = rows;
    const conditions = `256 KiB records, 4 writers over 4 partitions, fsync on, ${blocks['CPU s']} CPU s; ${machine()}`;
    return [{ name: 'log-append', value: blocks['MB/s'], unit: 'MB/s', conditions }];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
