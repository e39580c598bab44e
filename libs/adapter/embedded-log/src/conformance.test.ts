import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logConformance } from '@tidemark/conformance';
import { LocalDisk, SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { assert } from '@tidemark/ports';
import { type EmbeddedLog, openEmbeddedLog, ProducerWriter } from './index.ts';

const RECORD_BYTES = 4096;

logConformance(
  'embedded log on the local disk',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tidemark-log-'));
    const open = () =>
      openEmbeddedLog({
        disk: new LocalDisk(folder),
        clock: new SystemClock(),
        random: new SystemRandom(),
        partitions: { points: 2 },
        limits: { segmentBytes: 3000, recordBytes: RECORD_BYTES, tailCacheBytes: 1000 },
      });
    let log: EmbeddedLog = await open();
    return {
      log,
      async restart() {
        await log.close();
        log = await open();
        return log;
      },
      resume(_log, writer) {
        assert(writer instanceof ProducerWriter, 'a writer of this log');
        return log.resumeWriter('points', 0, writer.producer);
      },
      async close() {
        await log.close();
        await rm(folder, { recursive: true });
      },
    };
  },
  { tooLargeBytes: RECORD_BYTES + 1, trimRecords: 20 },
);
