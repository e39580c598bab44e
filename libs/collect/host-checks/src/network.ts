import type { Check, CheckSink } from '@tidemark/checks';
import { Rates } from '@tidemark/checks';
import type { Clock } from '@tidemark/ports';
import { networkStats } from 'systeminformation';
import type { HostFiles } from './host-files.ts';

/** Cumulative counters of one interface, by the suffix of their metric under `system.net.`. */
export interface InterfaceTotals {
  readonly device: string;
  readonly totals: Readonly<Record<string, number>>;
}

/** Parses the text of Linux's `/proc/net/dev`. */
export function parseProcNetDev(text: string): InterfaceTotals[] {
  const out: InterfaceTotals[] = [];
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const columns = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
      .map(Number);
    if (columns.length < 12) continue;
    out.push({
      device: line.slice(0, colon).trim(),
      totals: {
        bytes_rcvd: columns[0],
        bytes_sent: columns[8],
        'packets_in.count': columns[1],
        'packets_in.error': columns[2],
        'packets_in.drop': columns[3],
        'packets_out.count': columns[9],
        'packets_out.error': columns[10],
        'packets_out.drop': columns[11],
      },
    });
  }
  return out;
}

/**
 * Returns the interfaces that get metrics: those that ever moved a byte, without loopback unless it is the only one, as
 * in some containers.
 */
export function reportedInterfaces(interfaces: readonly InterfaceTotals[]): InterfaceTotals[] {
  const used = interfaces.filter(({ totals }) => totals.bytes_rcvd + totals.bytes_sent > 0);
  const outside = used.filter(({ device }) => !/^lo\d*$/.test(device));
  return outside.length > 0 ? outside : used;
}

/** `system.net.*` by interface: bytes and packets per second. */
export class NetworkCheck implements Check {
  readonly name = 'network';
  readonly everyMs?: number;
  readonly #read: () => Promise<InterfaceTotals[]>;
  readonly #clock: Clock;
  readonly #rates = new Rates();

  private constructor(read: () => Promise<InterfaceTotals[]>, clock: Clock, everyMs?: number) {
    this.#read = read;
    this.#clock = clock;
    if (everyMs !== undefined) this.everyMs = everyMs;
  }

  static linux(files: HostFiles, clock: Clock): NetworkCheck {
    return new NetworkCheck(async () => parseProcNetDev(await files.readText('/proc/net/dev')), clock);
  }

  /** Makes the check for hosts without `/proc`. It starts processes for each interface, so it runs less often. */
  static portable(clock: Clock, everyMs: number): NetworkCheck {
    return new NetworkCheck(portableTotals, clock, everyMs);
  }

  async run(sink: CheckSink): Promise<void> {
    const interfaces = reportedInterfaces(await this.#read());
    this.#rates.begin(this.#clock.monotonicMs());
    for (const { device, totals } of interfaces) {
      for (const [suffix, total] of Object.entries(totals)) {
        const rate = this.#rates.perSecond(`${device} ${suffix}`, total);
        if (rate !== undefined) sink.gauge(`system.net.${suffix}`, rate, [`device:${device}`, `device_name:${device}`]);
      }
    }
  }
}

async function portableTotals(): Promise<InterfaceTotals[]> {
  const interfaces = await networkStats('*');
  return interfaces.map((stats) => ({
    device: stats.iface,
    totals: {
      bytes_rcvd: stats.rx_bytes,
      bytes_sent: stats.tx_bytes,
      'packets_in.error': stats.rx_errors,
      'packets_in.drop': stats.rx_dropped,
      'packets_out.error': stats.tx_errors,
      'packets_out.drop': stats.tx_dropped,
    },
  }));
}
