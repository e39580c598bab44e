import { credentials, Server, ServerCredentials, type ServerWritableStream, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { QueryClient, QueryReply, type QueryRequest, QueryService, ResultSeries } from '@tidemark/contract';
import { type Clock, TidemarkError } from '@tidemark/ports';
import { readStream, serveStream } from './server-stream.ts';

type Call = ServerWritableStream<QueryRequest, QueryReply>;

/** More than the buffers of both sides and of the connection take of one message. */
const LARGE = 2_000_000;
const LATE = new TidemarkError('deadline_exceeded', 'the query took more than its time', { limit: 'query.timeMs' });
const NO_REPLY = { errors: [], gaps: [], pointsRead: 0, seriesRead: 0, notes: [] };

/** A message of so many bytes, about. */
function messageOf(bytes: number, i: number): QueryReply {
  return QueryReply.create({ ...NO_REPLY, series: [ResultSeries.fromPartial({ metric: `${i}`.padEnd(bytes, '.') })] });
}

/** Starts a server whose queries `run` serves, and a client of it. */
async function serving(run: (call: Call) => void): Promise<{ server: Server; client: QueryClient }> {
  const server = new Server();
  const unused = () => undefined;
  server.addService(QueryService, { run, metrics: unused, metric: unused, tags: unused, status: unused });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (failed, bound) =>
      failed === null ? resolve(bound) : reject(failed),
    );
  });
  return { server, client: new QueryClient(`127.0.0.1:${port}`, credentials.createInsecure()) };
}

describe('an error in the middle of an answer', () => {
  let server: Server;
  let client: QueryClient;
  let call: Call;
  let error: unknown;
  /** Sizes of the messages before the error, bytes. */
  let sizes: readonly number[];
  let isWaitedFor = true;
  let hasFailed: boolean;
  /** Tasks of timers, each of which fires when a test says so. */
  let timers: (() => void)[];

  const clock: Pick<Clock, 'setTimer'> = {
    setTimer: (_, task) => {
      timers.push(task);
      return { cancel: () => undefined };
    },
  };
  const run = async (served: Call): Promise<void> => {
    call = served;
    const answer = async (_: QueryRequest, send: (message: QueryReply) => Promise<void>) => {
      for (const [i, size] of sizes.entries()) {
        const sent = send(messageOf(size, i));
        if (isWaitedFor) await sent;
      }
      hasFailed = true;
      throw error;
    };
    await serveStream(served, answer, clock);
  };

  beforeAll(async () => {
    ({ server, client } = await serving((served) => void run(served)));
  });

  afterAll(() => {
    client.close();
    server.forceShutdown();
  });

  /** Starts a call; its caller reads `first` messages at once, then one for each call of `readOne`. */
  function start(first = Number.POSITIVE_INFINITY) {
    timers = [];
    hasFailed = false;
    const reading = client.run({ query: 'q', fromMs: 0, toMs: 1, variables: {} });
    const received: string[] = [];
    let wanted = first;
    reading.on('data', ({ series: [{ metric }] }: QueryReply) => {
      received.push(metric.split('.')[0]);
      if (received.length >= wanted) reading.pause();
    });
    const ended = new Promise<unknown>((resolve) => reading.on('error', resolve));
    const readOne = () => {
      wanted = received.length + 1;
      reading.resume();
    };
    const readAll = () => {
      wanted = Number.POSITIVE_INFINITY;
      reading.resume();
    };
    return { received, ended, readOne, readAll };
  }

  test.each([
    ['an error of the project', LATE, status.DEADLINE_EXCEEDED, LATE.message],
    ['any other error', new Error('a defect'), status.INTERNAL, 'a defect'],
  ])('comes behind its messages for a caller that reads: %s', async (_, thrown, code, details) => {
    error = thrown;
    for (const count of [0, 1, 2, 5, 12]) {
      sizes = Array<number>(count).fill(1000);
      isWaitedFor = count !== 12;
      const { received, ended } = start();
      expect(await ended).toMatchObject({ code, details });
      expect(received).toEqual(sizes.map((_size, i) => `${i}`));
    }
    isWaitedFor = true;
  });

  test('comes behind its messages for a caller that reads slowly', async () => {
    error = LATE;
    sizes = Array<number>(15).fill(LARGE);
    const { received, ended, readOne, readAll } = start(1);
    await eventually(() => hasFailed && timers.length === 1);
    for (let step = 0; step < 3; step++) {
      const before = call.writableLength;
      expect(before).toBeGreaterThan(0);
      await eventually(() => {
        readOne();
        return call.writableLength < before;
      });
      timers.shift()?.();
    }
    readAll();
    expect(await ended).toMatchObject({ code: status.DEADLINE_EXCEEDED, details: LATE.message });
    expect(received).toHaveLength(sizes.length);
    // The last timer finds nothing to do.
    timers.shift()?.();
    expect(timers).toEqual([]);
  });

  test('ends the call of a caller that reads nothing meanwhile, without its messages', async () => {
    error = LATE;
    sizes = Array<number>(15).fill(LARGE);
    const { received, ended, readAll } = start(1);
    await eventually(() => hasFailed && timers.length === 1);
    // Its connection may have taken messages before the first of them; no time passes between them.
    while (timers.length > 0) timers.shift()?.();
    readAll();
    expect(await ended).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    expect(received.length).toBeLessThan(sizes.length);
  });
});

test('an error of the receiver is thrown as it is, and cancels the call', async () => {
  let served: Call | undefined;
  const { server, client } = await serving((call) => {
    served = call;
    call.write(messageOf(10, 0));
  });
  try {
    const defect = new Error('a defect');
    const reading = readStream(
      () => client.run({ query: 'q', fromMs: 0, toMs: 1, variables: {} }),
      () => {
        throw defect;
      },
    );
    await expect(reading).rejects.toBe(defect);
    await eventually(() => served?.cancelled === true);
  } finally {
    client.close();
    server.forceShutdown();
  }
});

async function eventually(holds: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 30_000;
  while (!holds()) {
    if (performance.now() > deadlineMs) throw new Error('not within 30 s');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
