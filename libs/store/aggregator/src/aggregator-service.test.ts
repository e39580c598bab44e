import { credentials, Server, ServerCredentials } from '@grpc/grpc-js';
import { expect, test } from '@jest/globals';
import { SystemClock } from '@tidemark/node-runtime';
import { LogBuilder } from '@tidemark/point-log/testing';
import { RECORD } from '@tidemark/point-records';
import { TidemarkError } from '@tidemark/ports';
import { MemoryKeyValue } from '@tidemark/simulation';
import { addStoreService, grpcAggregator } from '@tidemark/store-rpc';
import { answerBytes } from '@tidemark/store-rpc/testing';
import { AggregatorPartition } from './index.ts';

test('an aggregator reports its position to another process', async () => {
  const partition = await AggregatorPartition.open({ partition: 0, keyValue: new MemoryKeyValue() });
  const builder = new LogBuilder();
  builder.bare(RECORD.open, 0, 1_000);
  builder.block(0, 2_000, [{ client: 0, sequence: 0, points: [{ series: 1, timeMs: 1_500, value: 1 }] }]);
  for (const record of builder.records) partition.apply(record);
  const position = { logNext: 3, halted: 'a damaged record', haltedOffset: 2, problem: '' };
  const server = new Server();
  addStoreService(
    server,
    'aggregator',
    answerBytes('aggregator', (asked) => {
      if (asked !== 0) throw new TidemarkError('not_found', `points/${asked} is not of this process`);
      return { status: async () => ({ ...partition.status, ...position }) };
    }),
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const reader = grpcAggregator(`127.0.0.1:${port}`, credentials.createInsecure(), { clock: new SystemClock() });
  try {
    const status = await reader.status({ partition: 0 });
    expect(status).toMatchObject({ ...position, offset: 2, committedOffset: 0, watermarkMs: 2_000, points: 1 });
    expect(status.lanes).toMatchObject([{ lane: 0, markMs: 2_000, sequence: 1 }]);
    await expect(reader.status({ partition: 5 })).rejects.toMatchObject({ code: 'not_found' });
  } finally {
    reader.close();
    server.forceShutdown();
  }
});
