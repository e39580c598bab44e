import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { holdProcess } from '@tidemark/node-runtime';
import { type Measurement, machine } from './measurement.ts';
import { openParts, type Parts } from './new-series/parts.ts';
import { datadogSender, nativeSender, remoteWriteSender, type Sender } from './new-series/senders.ts';
import { BATCH, METRICS, TAGS } from './new-series/series.ts';

const WARM_BATCHES = 25;
const BATCHES = 100;
const READ = { maxBytes: 1 << 20, waitMs: 0 };

/** CPU time of the process by what it was spent on, in µs. */
class CpuTime {
  readonly spent = { define: 0, send: 0, again: 0, store: 0 };

  async of(what: keyof CpuTime['spent'], work: () => Promise<void>): Promise<void> {
    const began = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(began);
    this.spent[what] += user + system;
  }
}

/**
 * Claim `new-series`: what a series costs that is seen for the first time, from the message of a client that defines it to its
 * entry in the tag store; `new-series-remote-write` and `new-series-datadog` are the same for these protocols. What its points
 * cost is that of the next points of the same series, and is subtracted.
 */
export async function newSeries(): Promise<Measurement[]> {
  const native = await measure(nativeSender);
  const remoteWrite = await measure(remoteWriteSender);
  const datadog = await measure(datadogSender);
  const conditions =
    `${BATCHES * BATCH} series of ${METRICS} metrics with ${TAGS} tags, of which two are of ${METRICS} series each, in batches of ` +
    `${BATCH}, after ${WARM_BATCHES * BATCH} that are not counted; embedded log and RocksDB on disk; CPU time of the ` +
    `process, without gRPC, HTTP and the point store; ${machine()}`;
  const figure = (name: string, microseconds: number): Measurement => {
    return { name, value: microseconds / (BATCHES * BATCH), unit: 'µs/series', conditions };
  };
  const all = ({ define, send, again, store }: CpuTime['spent']) => define + send - again + store;
  return [
    figure('new-series', all(native)),
    figure('new-series-define', native.define),
    figure('new-series-publish', native.send - native.again),
    figure('new-series-store', native.store),
    figure('new-series-remote-write', all(remoteWrite)),
    figure('new-series-datadog', all(datadog)),
  ];
}

async function measure(senderOf: (parts: Parts, batches: number) => Promise<Sender>): Promise<CpuTime['spent']> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-new-series-'));
  // Timers of the parts do not hold a process.
  const release = holdProcess();
  const parts = await openParts(folder);
  try {
    while (!parts.session.isReady) await new Promise((resolve) => setTimeout(resolve, 10));
    return await sendAll(await senderOf(parts, WARM_BATCHES + BATCHES), parts);
  } finally {
    release();
    await parts.session.close();
    await parts.keyValue.close();
    await parts.log.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function sendAll({ define, send }: Sender, { log, tags }: Parts): Promise<CpuTime['spent']> {
  let cpu = new CpuTime();
  for (let batch = 0; batch < WARM_BATCHES + BATCHES; batch++) {
    if (batch === WARM_BATCHES) cpu = new CpuTime();
    await cpu.of('define', define(batch));
    await cpu.of('send', send(batch));
    await cpu.of('again', send(batch));
    await cpu.of('store', async () => {
      for (const record of await log.read('tags', 0, tags.nextOffset, READ)) {
        tags.apply(record);
        if (tags.wantsCommit) await tags.commit();
      }
    });
  }
  return cpu.spent;
}
