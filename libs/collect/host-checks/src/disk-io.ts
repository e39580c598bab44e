import type { Check, CheckSink } from '@tidemark/checks';
import { Rates } from '@tidemark/checks';
import type { Clock } from '@tidemark/ports';
import { disksIO, fsStats } from 'systeminformation';
import type { HostFiles } from './host-files.ts';

/** A sector of `/proc/diskstats` is 512 bytes, independent of the device's own sector size. */
const SECTORS_PER_KIB = 2;

/** A device's line of `/proc/diskstats` (Linux: Documentation/admin-guide/iostats.rst). Times in ms. */
export interface DiskStats {
  readonly device: string;
  readonly reads: number;
  readonly readSectors: number;
  readonly readMs: number;
  readonly writes: number;
  readonly writtenSectors: number;
  readonly writeMs: number;
  readonly busyMs: number;
  readonly weightedMs: number;
}

/** Parses the devices that have ever read or written. Others, such as unused loop devices, are left out. */
export function parseDiskStats(text: string): DiskStats[] {
  const out: DiskStats[] = [];
  for (const line of text.split('\n')) {
    const columns = line.trim().split(/\s+/);
    if (columns.length < 14) continue;
    const [reads, , readSectors, readMs, writes, , writtenSectors, writeMs, , busyMs, weightedMs] = columns
      .slice(3)
      .map(Number);
    if (reads + writes === 0) continue;
    out.push({
      device: columns[2],
      reads,
      readSectors,
      readMs,
      writes,
      writtenSectors,
      writeMs,
      busyMs,
      weightedMs,
    });
  }
  return out;
}

/** `system.io.*` by device: operations and KiB per second, wait per operation in ms, queue length, percent busy. */
export class LinuxDiskIoCheck implements Check {
  readonly name = 'disk-io';
  readonly #files: HostFiles;
  readonly #clock: Clock;
  readonly #rates = new Rates();

  constructor(files: HostFiles, clock: Clock) {
    this.#files = files;
    this.#clock = clock;
  }

  async run(sink: CheckSink): Promise<void> {
    const text = await this.#files.readText('/proc/diskstats');
    this.#rates.begin(this.#clock.monotonicMs());
    for (const stats of parseDiskStats(text)) this.#device(stats, sink);
  }

  #device(stats: DiskStats, sink: CheckSink): void {
    const grown = (counter: keyof DiskStats): number | undefined =>
      this.#rates.delta(`${stats.device} ${counter}`, Number(stats[counter]));
    const reads = grown('reads');
    const readSectors = grown('readSectors');
    const readMs = grown('readMs');
    const writes = grown('writes');
    const writtenSectors = grown('writtenSectors');
    const writeMs = grown('writeMs');
    const busyMs = grown('busyMs');
    const weightedMs = grown('weightedMs');
    const elapsedMs = this.#rates.elapsedMs;
    if (elapsedMs === undefined || elapsedMs <= 0) return;
    const tags = [`device:${stats.device}`, `device_name:${stats.device}`];
    const seconds = elapsedMs / 1000;
    if (reads !== undefined) sink.gauge('system.io.r_s', reads / seconds, tags);
    if (writes !== undefined) sink.gauge('system.io.w_s', writes / seconds, tags);
    if (readSectors !== undefined) sink.gauge('system.io.rkb_s', readSectors / SECTORS_PER_KIB / seconds, tags);
    if (writtenSectors !== undefined) sink.gauge('system.io.wkb_s', writtenSectors / SECTORS_PER_KIB / seconds, tags);
    if (busyMs !== undefined) sink.gauge('system.io.util', Math.min(100, (100 * busyMs) / elapsedMs), tags);
    if (weightedMs !== undefined) sink.gauge('system.io.avg_q_sz', weightedMs / elapsedMs, tags);
    if (reads === undefined || writes === undefined || readMs === undefined || writeMs === undefined) return;
    sink.gauge('system.io.r_await', reads === 0 ? 0 : readMs / reads, tags);
    sink.gauge('system.io.w_await', writes === 0 ? 0 : writeMs / writes, tags);
    sink.gauge('system.io.await', reads + writes === 0 ? 0 : (readMs + writeMs) / (reads + writes), tags);
  }
}

/** `system.io.*` of all disks together, on hosts without `/proc`. It starts processes, so it runs less often. */
export class PortableDiskIoCheck implements Check {
  readonly name = 'disk-io';
  readonly everyMs: number;

  constructor(everyMs: number) {
    this.everyMs = everyMs;
  }

  async run(sink: CheckSink): Promise<void> {
    const operations = await disksIO();
    gaugeIfKnown(sink, 'system.io.r_s', operations?.rIO_sec);
    gaugeIfKnown(sink, 'system.io.w_s', operations?.wIO_sec);
    const bytes = await fsStats();
    gaugeIfKnown(sink, 'system.io.rkb_s', scaled(bytes?.rx_sec));
    gaugeIfKnown(sink, 'system.io.wkb_s', scaled(bytes?.wx_sec));
  }
}

function scaled(bytes: number | null | undefined): number | undefined {
  return typeof bytes === 'number' ? bytes / 1_024 : undefined;
}

/** Records a value; the library gives null for one that it does not know yet. */
function gaugeIfKnown(sink: CheckSink, metric: string, value: number | null | undefined): void {
  if (typeof value === 'number' && Number.isFinite(value)) sink.gauge(metric, value);
}
