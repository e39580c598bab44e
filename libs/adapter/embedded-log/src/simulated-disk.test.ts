import { logConformance } from '@tidemark/conformance';
import { SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { assert } from '@tidemark/ports';
import { Incarnation, SeededRandom, SimulatedDisk } from '@tidemark/simulation';
import { type EmbeddedLog, openEmbeddedLog, ProducerWriter } from './index.ts';

logConformance(
  'embedded log on a simulated disk, cut off from power',
  async () => {
    const clock = new SystemClock();
    const disk = new SimulatedDisk({ clock, random: new SeededRandom(1), maxLatencyMs: 0 });
    let process = new Incarnation('log', 0);
    const open = () =>
      openEmbeddedLog({
        disk: disk.bind(process),
        clock,
        random: new SystemRandom(),
        partitions: { points: 2 },
        limits: { segmentBytes: 3000, recordBytes: 4096 },
      });
    let log: EmbeddedLog = await open();
    const cutOff = async () => {
      process.end();
      disk.crash('power');
      process = new Incarnation('log', 1);
      log = await open();
      return log;
    };
    return {
      log,
      restart: cutOff,
      crash: cutOff,
      resume(_log, writer) {
        assert(writer instanceof ProducerWriter, 'a writer of this log');
        return log.resumeWriter('points', 0, writer.producer);
      },
      close: async () => process.end(),
    };
  },
  { tooLargeBytes: 4097, trimRecords: 20 },
);
