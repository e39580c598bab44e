import { Server, ServerCredentials } from '@grpc/grpc-js';
import { Access } from '@tidemark/access';
import { IntakeService } from '@tidemark/contract';
import { ControlFollower } from '@tidemark/control-log';
import { Coordinator } from '@tidemark/coordinator';
import { openEmbeddedLog } from '@tidemark/embedded-log';
import {
  DEFAULT_INTAKE_LIMITS,
  DEFAULT_LANE_TIMING,
  IntakeSession,
  intakeService,
  RequestIntake,
} from '@tidemark/intake';
import { DEFAULT_POINT_LIMITS } from '@tidemark/model';
import { LocalDisk, SystemRandom } from '@tidemark/node-runtime';
import { DataClock } from './data-clock.ts';
import type { FromPlatform, ToPlatform } from './messages.ts';

/** An intake over the embedded log, without consumers of the log. */
const [folder, startMs] = [process.argv[2], Number(process.argv[3])];
const PARTITIONS = 4;
const clock = new DataClock(startMs);
const random = new SystemRandom();
const log = await openEmbeddedLog({
  disk: new LocalDisk(folder),
  clock,
  random,
  partitions: { points: PARTITIONS, tags: PARTITIONS, control: 1 },
});
const control = new ControlFollower(log, clock);
await control.start();
const common = { log, control, clock, random, process: 'bench' };
const coordinator = new Coordinator({
  ...common,
  partitions: PARTITIONS,
  tenantSeries: Number.MAX_SAFE_INTEGER,
  metricSeries: Number.MAX_SAFE_INTEGER,
  seriesCounts: async () => [],
  isAlone: true,
});
await coordinator.start();
const session = new IntakeSession({
  ...common,
  acceptClock: clock,
  limits: { ...DEFAULT_INTAKE_LIMITS, ...DEFAULT_POINT_LIMITS },
  timing: DEFAULT_LANE_TIMING,
  knownSeries: async (_partition, _tenant, ids) => ids.map(() => true),
});
await session.start();
const server = new Server({
  'grpc.max_receive_message_length': DEFAULT_INTAKE_LIMITS.messageBytes,
});
const requests = new RequestIntake({ session: () => session, ...common });
const access = new Access(control.state);
server.addService(IntakeService, intakeService({ session: () => session, access, requests }));
const port = await new Promise<number>((resolve, reject) => {
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
    error ? reject(error) : resolve(bound),
  );
});
while (!session.isReady) await new Promise((resolve) => setTimeout(resolve, 20));
process.on('message', (message: ToPlatform) => {
  if (message.type === 'clock') clock.advance(message.nowMs);
  else if (message.type === 'stop') process.exit(0);
  else {
    const { user, system } = process.cpuUsage();
    const report = {
      cpuSeconds: (user + system) / 1e6,
      points: 0,
      latePoints: 0,
      duplicatePoints: 0,
      closedBuckets: 0,
      logBytes: 0,
      rssBytes: 0,
    };
    send({ type: 'report', id: message.id, report });
  }
});
send({ type: 'ready', port, httpPort: 0 });

function send(message: FromPlatform): void {
  process.send?.(message);
}
