import { once } from 'node:events';
import { credentials, Server, ServerCredentials, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { QueryClient, QueryService as QueryDefinition, ResultSeries } from '@tidemark/contract';
import { type Clock, TidemarkError, WorkSlice } from '@tidemark/ports';
import { callStream, runQuery } from '@tidemark/rpc';
import { type QueryAnswer, type QueryReader, queryService } from './index.ts';
import { sendAnswer } from './query-messages.ts';

const MESSAGE_VALUES = 8192;
const LONG = 8000;

/** Series of these numbers of values, each with its own value. */
function answerOf(...lengths: readonly number[]): QueryAnswer {
  const series = lengths.map((length, i) => {
    const timesMs = Array.from({ length }, (_, step) => 1_700_000_000_000 + step * 1000);
    return ResultSeries.fromPartial({ metric: 'load', tagSet: [`host:${i}`], timesMs, values: timesMs.map(() => i) });
  });
  const rest = { errors: [], gaps: [], notes: ['a note'], expressions: [], groupBy: [] };
  return { ...rest, series, completeThroughMs: 5, pointsRead: 7, seriesRead: lengths.length };
}

describe('an answer over gRPC', () => {
  const server = new Server();
  let client: QueryClient;
  let answer: QueryAnswer;
  /** What became of the query: pending while its answer is being sent. */
  let ended = 'nothing ran';
  let deadline = new AbortController();
  /** Tasks of timers; a test fires them. */
  const timers: (() => void)[] = [];
  const clock: Pick<Clock, 'setTimer'> = {
    setTimer: (_, task) => {
      timers.push(task);
      return { cancel: () => undefined };
    },
  };

  beforeAll(async () => {
    const run: QueryReader['run'] = async (_tenant, _request, use, signal) => {
      ended = 'pending';
      try {
        const within = AbortSignal.any([deadline.signal, ...(signal === undefined ? [] : [signal])]);
        const result = await use(answer, new WorkSlice(undefined, within));
        ended = 'sent';
        return result;
      } catch (error) {
        ended = error instanceof TidemarkError ? error.code : String(error);
        throw error;
      }
    };
    const access = { tenantOf: () => 'default' };
    server.addService(QueryDefinition, queryService({ run } as QueryReader, access, clock));
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    client = new QueryClient(`127.0.0.1:${port}`, credentials.createInsecure());
  });

  afterAll(() => {
    client.close();
    server.forceShutdown();
  });

  const start = () => client.run({ query: 'q', fromMs: 0, toMs: 1, variables: {} });

  test('is sent in messages of a bounded number of values, and is whole', async () => {
    answer = answerOf(...Array<number>(5).fill(LONG), 500, 200, ...Array<number>(1000).fill(1));
    const messages = await callStream(start);
    const sizes = messages.map(({ series }) => series.reduce((sum, { values }) => sum + values.length, 0));
    expect(sizes.slice(0, 5)).toEqual(Array<number>(5).fill(LONG));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(MESSAGE_VALUES);
    expect(messages.length).toBeLessThan(12);
    const { expressions: _, groupBy: __, ...whole } = answer;
    expect(await runQuery(start)).toEqual(whole);
    answer = answerOf();
    expect(await runQuery(start)).toMatchObject({ series: [], completeThroughMs: 5, notes: ['a note'] });
  });

  test('waits for a caller that does not read, and ends when the caller has gone', async () => {
    // More than the buffers of both sides and of the connection take.
    const [series] = answerOf(LONG).series;
    answer = { ...answerOf(), series: Array<ResultSeries>(2000).fill(series) };
    const paused = start();
    const failed = once(paused, 'error');
    paused.pause();
    await eventually(() => ended === 'pending');
    for (let turns = 0; turns < 1000; turns++) await new Promise((resolve) => setImmediate(resolve));
    expect(ended).toBe('pending');
    paused.cancel();
    await failed;
    await eventually(() => ended === 'cancelled');
  });

  test('is dropped at the deadline of its query when its caller does not read', async () => {
    let sent = 0;
    const [long] = answerOf(LONG).series;
    const values = { enumerable: true, get: () => ++sent && long.values };
    const counted: ResultSeries = Object.defineProperty({ ...long }, 'values', values);
    answer = { ...answerOf(), series: Array<ResultSeries>(2000).fill(counted) };
    const paused = start();
    const failed = once(paused, 'error');
    // A listener that is removed leaves the stream paused: it asks for no further message.
    paused.on('data', () => paused.pause());
    // Nothing more is sent: the server has a queue that its caller does not take.
    let before = 0;
    let still = 0;
    await eventually(() => {
      still = sent > 0 && sent === before ? still + 1 : 0;
      before = sent;
      return still > 40;
    });
    deadline.abort(new TidemarkError('deadline_exceeded', 'the query took too long'));
    await eventually(() => ended === 'deadline_exceeded');
    deadline = new AbortController();
    await eventually(() => timers.length > 0);
    while (timers.length > 0) timers.shift()?.();
    let received = 0;
    paused.removeAllListeners('data');
    paused.on('data', () => received++);
    paused.resume();
    // The status of the deadline would come behind the whole queue.
    expect(await failed).toMatchObject([{ code: status.RESOURCE_EXHAUSTED }]);
    expect(received).toBeLessThan(sent);
  });
});

test('an answer to a caller that does not read ends at the deadline of its query', async () => {
  const deadline = new AbortController();
  const neverRead = () => new Promise<void>(() => undefined);
  const sending = sendAnswer(answerOf(LONG), neverRead, new WorkSlice(undefined, deadline.signal));
  const late = new TidemarkError('deadline_exceeded', 'the query took too long');
  deadline.abort(late);
  await expect(sending).rejects.toBe(late);
});

async function eventually(holds: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 60_000;
  while (!holds()) {
    if (performance.now() > deadlineMs) throw new Error('not within 60 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
