import { ByteWriter } from '@tidemark/bytes';
import { encodeShare, PointColumns } from '@tidemark/columns';
import { BatchResult_Outcome, type SendRequest } from '@tidemark/contract';
import { DEFAULT_DATADOG_LIMITS, KnownSeries, openPayload } from '@tidemark/datadog-payload';
import { type IntakeRequest, openStream, RequestIntake } from '@tidemark/intake';
import { KIND } from '@tidemark/model';
import { yieldTurn } from '@tidemark/node-runtime';
import { finishInSlices, sleep } from '@tidemark/ports';
import { DEFAULT_REMOTE_WRITE_LIMITS, WriteBody, WriteDecoder } from '@tidemark/remote-write';
import { ByTenant, KEY_BYTES, LabelMemory, LabelTable } from '@tidemark/series-memory';
import { compressSync } from 'snappy';
import { appendLabel, appendSample, appendSeries } from '../remote-write/encode.ts';
import { clock, type Parts, random } from './parts.ts';
import { BATCH, seriesOf } from './series.ts';

const TENANT = 'default';

/** A protocol. Both functions prepare what is not measured, and return the work that is. */
export interface Sender {
  /** Names the series of a batch, where the protocol does that apart from their points. */
  readonly define: (batch: number) => () => Promise<void>;
  /** Sends a point of each series of a batch, until it is stored. */
  readonly send: (batch: number) => () => Promise<void>;
}

/** A client's stream, without gRPC. */
export async function nativeSender({ session }: Parts): Promise<Sender> {
  const settled: ((outcome: BatchResult_Outcome) => void)[] = [];
  const stream = openStream(session, TENANT, ({ message }) => {
    if (message?.$case === 'batch') settled.shift()?.(message.value.outcome);
  });
  const clientSession = Buffer.alloc(16, 1);
  await stream.receive({ message: { $case: 'hello', value: { clientSession, clientName: 'bench' } } });
  let sequence = 0;
  return {
    define: (batch) => {
      const message = definitionsOf(batch);
      return () => stream.receive({ message });
    },
    send: (batch) => async () => {
      for (const own = sequence++; ; ) {
        const answered = new Promise<BatchResult_Outcome>((settle) => settled.push(settle));
        await stream.receive({ message: pointsOf(batch, own) });
        if ((await answered) === BatchResult_Outcome.ACKED) return;
        await sleep(clock, 100);
      }
    },
  };
}

/** Prometheus remote write, without HTTP. */
export async function remoteWriteSender({ session }: Parts, batches: number): Promise<Sender> {
  const intake = new RequestIntake({ session: () => session, clock, random, yieldTurn });
  const labels = new LabelMemory(DEFAULT_REMOTE_WRITE_LIMITS.rememberedBytes, random.bytes(KEY_BYTES));
  const body = new WriteBody(labels);
  const decoder = new WriteDecoder(DEFAULT_REMOTE_WRITE_LIMITS);
  const tables = new ByTenant(() => new LabelTable(labels));
  const bodies = Array.from({ length: batches }, (_, batch) => compressSync(writeRequestOf(batch)));
  return requestSender(async (batch) => {
    const one = intake.open(TENANT);
    await finishInSlices(
      body.uncompress([bodies[batch]], DEFAULT_REMOTE_WRITE_LIMITS.rawBytes, one.maxPoints),
      yieldTurn,
    );
    const decoding = decoder.decode(body, tables.of(TENANT, one.scope), one);
    const { handles, timesMs, values, length } = await finishInSlices(decoding, yieldTurn);
    one.columns(handles, timesMs, values, length);
    return one;
  });
}

/** Series of Datadog's API as its clients send them, in JSON, without HTTP and compression. */
export async function datadogSender({ session }: Parts, batches: number): Promise<Sender> {
  const intake = new RequestIntake({ session: () => session, clock, random, yieldTurn });
  const memory = new LabelMemory(DEFAULT_DATADOG_LIMITS.rememberedBytes, random.bytes(KEY_BYTES));
  const known = new ByTenant(() => new KnownSeries(memory, DEFAULT_DATADOG_LIMITS.rememberedBytes));
  const bodies = Array.from({ length: batches }, (_, batch) => payloadOf(batch));
  return requestSender(async (batch) => {
    const rest = { contentType: 'application/json', contentEncoding: undefined, receivedMs: clock.wallMs() };
    const read = await openPayload({ form: 'seriesV2', body: bodies[batch], ...rest }, DEFAULT_DATADOG_LIMITS);
    const one = intake.open(TENANT);
    await finishInSlices(read(one, known.of(TENANT, one.scope)), yieldTurn);
    return one;
  });
}

/** A protocol of requests. */
function requestSender(decode: (batch: number) => Promise<IntakeRequest>): Sender {
  return {
    define: () => async () => undefined,
    send: (batch) => async () => {
      const { outcome, acceptedPoints, rejections } = await (await decode(batch)).send();
      if (outcome === 'acked' && acceptedPoints === BATCH) return;
      throw new Error(`${outcome}: ${acceptedPoints} of ${BATCH} points; ${rejections.map(({ message }) => message)}`);
    },
  };
}

/** A WriteRequest with a sample of each series of a batch. */
function writeRequestOf(batch: number): Uint8Array {
  const out = new ByteWriter();
  const labels = new ByteWriter();
  const sample = new ByteWriter();
  appendSample(sample, Math.floor(clock.wallMs()), batch + 0.5);
  for (const { metric, tags } of seriesOf(batch)) {
    labels.reset();
    for (const [name, value] of [['__name__', metric], ...tags]) appendLabel(labels, name, value);
    appendSeries(out, labels.view(), sample);
  }
  return out.take();
}

/** A payload of version 2 with a point of each series of a batch. */
function payloadOf(batch: number): Buffer {
  const timestamp = Math.floor(clock.wallMs() / 1000);
  const series = seriesOf(batch).map(({ metric, tags }, i) => {
    return { metric, type: 3, points: [{ timestamp, value: i }], tags: tags.map((tag) => tag.join(':')) };
  });
  return Buffer.from(JSON.stringify({ series }));
}

function definitionsOf(batch: number): SendRequest['message'] {
  const series = seriesOf(batch).map(({ metric, tags }) => {
    return { metric, kind: KIND.gauge, tags: tags.map((tag) => tag.join(':')) };
  });
  return { $case: 'definitions', value: { mapEpoch: 1, partition: 0, firstRef: batch * BATCH, series } };
}

/** A point of each series of a batch. */
function pointsOf(batch: number, sequence: number): SendRequest['message'] {
  const columns = new PointColumns(BATCH);
  const timeMs = clock.wallMs();
  for (let i = 0; i < BATCH; i++) columns.push(batch * BATCH + i, Math.floor(timeMs), i);
  const out = new ByteWriter();
  encodeShare(columns, undefined, out);
  const stamp = { sequence, mapEpoch: 1, floor: sequence, frontierMs: undefined, stampedMs: Math.floor(timeMs) };
  return { $case: 'batch', value: { ...stamp, shares: [{ partition: 0, points: Buffer.from(out.take()) }] } };
}
