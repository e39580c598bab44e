import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bodies, BodiesOptions } from '../remote-write/bodies.ts';
import { clockAt, startSender } from '../remote-write/run.ts';
import type { FromSender } from '../remote-write/sender.ts';
import { message } from '../whole-path/run.ts';
import type { Peer } from './peer.ts';
import { processUsage } from './process-usage.ts';

export interface PeerLoad {
  /** Of the bodies. */
  readonly options: BodiesOptions;
  readonly bodies: Bodies;
  readonly connections: number;
  /** Number of rounds that are sent before and not measured, which define the series. */
  readonly warmRounds: number;
}

export interface PeerFigures {
  readonly points: number;
  /** Time from the first body until queries show every sample. */
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  /** Time from sending a body to its answer, ms: median and 99th percentile. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly peakRssBytes: number;
  readonly diskBytes: number;
  readonly retries: number;
  /** Count and sum by `metric region`. */
  readonly answers: ReadonlyMap<string, string>;
}

/** Sends bodies to a peer over an empty folder, and asks it for count and sum of all samples. */
export async function measurePeer(peer: Peer, load: PeerLoad): Promise<PeerFigures> {
  const { options, bodies, connections, warmRounds } = load;
  const { series, rounds } = options;
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-peers-'));
  try {
    const running = await peer.start(join(folder, 'data'));
    const sender = startSender(
      { url: running.writeUrl, headers: {}, bodies, rounds, connections, warmRounds },
      (round) => running.setClock?.(clockAt(options, round)),
    );
    if (warmRounds > 0) {
      const warm = message<FromSender, 'warm'>(sender, 'warm');
      sender.send('go');
      await warm;
      await running.settle(series * warmRounds);
    }
    const before = processUsage(running.pid);
    const startMs = performance.now();
    const sent = message<FromSender, 'sent'>(sender, 'sent');
    sender.send('go');
    const { retries, p50Ms, p99Ms } = await sent;
    await running.settle(series * rounds);
    const wallSeconds = (performance.now() - startMs) / 1000;
    const cpuSeconds = processUsage(running.pid).cpuSeconds - before.cpuSeconds;
    const answers = await running.answers();
    const { peakRssBytes } = processUsage(running.pid);
    const diskBytes = await running.stop();
    const points = series * (rounds - warmRounds);
    return { points, wallSeconds, cpuSeconds, p50Ms, p99Ms, peakRssBytes, diskBytes, retries, answers };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
