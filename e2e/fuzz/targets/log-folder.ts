import { openEmbeddedLog } from '@tidemark/embedded-log';
import { SystemClock } from '@tidemark/node-runtime';
import { type Log, TidemarkError } from '@tidemark/ports';
import { SeededRandom } from '@tidemark/simulation';
import { CrashDisk } from '../../../libs/adapter/embedded-log/src/crash-disk.ts';
import { type FuzzTarget, holds, parsedLater } from '../target.ts';
import { packEntries, unpackEntries } from './stored-entries.ts';

const clock = new SystemClock();
const RECORDS = 6;
/** Reads of a log of a few kilobytes: more than these never reach its end. */
const MAX_READS = 10_000;

function diskOf(files: Iterable<readonly [path: string, bytes: Uint8Array]>): CrashDisk {
  const disk = new CrashDisk(new SeededRandom(3), { failedWrite: 0, failedSync: 0 });
  for (const [path, bytes] of files) disk.put(path, bytes);
  return disk;
}

function open(disk: CrashDisk, seed: number): ReturnType<typeof openEmbeddedLog> {
  const limits = { segmentBytes: 1000, tailCacheBytes: 0 };
  return openEmbeddedLog({ disk, clock, random: new SeededRandom(seed), partitions: { points: 1 }, limits });
}

/** Reads every record, or that it is lost. Returns the end. */
async function readAll(log: Log): Promise<number> {
  const { first, next } = await log.bounds('points', 0);
  let reads = 0;
  for (let offset = first; offset < next; ) {
    holds(reads++ < MAX_READS, () => `offset ${offset} of ${next} after ${MAX_READS} reads`);
    try {
      const records = await log.read('points', 0, offset, { maxBytes: 1000, waitMs: 0 });
      holds(records.length > 0, () => `no record at offset ${offset} below the end ${next}`);
      for (const record of records) {
        holds(record.offset === offset, () => `record ${record.offset}, expected ${offset}`);
        offset++;
      }
    } catch (error) {
      if (!(error instanceof TidemarkError) || error.code !== 'data_loss') throw error;
      const resumeAt = Number(error.detail.resumeAt);
      holds(resumeAt > offset && resumeAt <= next, () => `lost until ${resumeAt} at offset ${offset} of ${next}`);
      offset = resumeAt;
    }
  }
  return next;
}

/** The files of a stopped log. After any damage it opens, or says why not; what it reads ends; it takes new records. */
export const LOG_FOLDER: FuzzTarget = {
  name: 'log-folder',
  seeds: async () => {
    const disk = diskOf([]);
    const log = await open(disk, 1);
    const writer = await log.writer('points', 0);
    for (let i = 0; i < RECORDS; i++) await writer.append(i, Buffer.alloc(5 + i * 40, i + 1));
    await log.close();
    const files = disk.paths().map((path): [string, Buffer] => [hexOf(path), Buffer.from(disk.bytesOf(path))]);
    return [packEntries(new Map(files))];
  },
  tokens: ['TREC', 'TIDESEG\n', '.segment', 'SYNCED', '\u0000'.repeat(64)],
  maxGrownBytes: 32 * 1024,
  run: async (input) => {
    const files = [...unpackEntries(input).content].filter(([path]) => path.length > 0);
    const disk = diskOf(files.map(([path, bytes]) => [Buffer.from(path, 'hex').toString('latin1'), bytes]));
    await parsedLater(['data_loss', 'failed_precondition'], async () => {
      const log = await open(disk, 2);
      try {
        const next = await readAll(log);
        const { offset } = await (await log.writer('points', 0)).append(0, Buffer.from('new'));
        holds(offset >= next, () => `a new record has offset ${offset}, below the end ${next}`);
      } finally {
        await log.close();
      }
    });
  },
};

function hexOf(path: string): string {
  return Buffer.from(path).toString('hex');
}
