import type { Check, CheckSink } from '@tidemark/checks';

/** Units of the metrics of each check, by its name (docs/agent.md lists them). Fractions and numbers of tasks have none. */
const UNITS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  cpu: {
    '%': ['user', 'system', 'idle', 'iowait', 'stolen', 'guest', 'interrupt'].map((state) => `system.cpu.${state}`),
  },
  memory: {
    MiB: [
      ...['total', 'used', 'free', 'usable', 'buffered', 'cached', 'slab'].map((part) => `system.mem.${part}`),
      ...['total', 'used', 'free'].map((part) => `system.swap.${part}`),
    ],
  },
  disk: { KiB: ['total', 'used', 'free'].map((part) => `system.disk.${part}`) },
  'disk-io': {
    'operations/s': ['system.io.r_s', 'system.io.w_s'],
    'KiB/s': ['system.io.rkb_s', 'system.io.wkb_s'],
    ms: ['system.io.await', 'system.io.r_await', 'system.io.w_await'],
    '%': ['system.io.util'],
  },
  network: {
    'bytes/s': ['system.net.bytes_rcvd', 'system.net.bytes_sent'],
    'packets/s': ['in', 'out'].flatMap((way) =>
      ['count', 'error', 'drop'].map((what) => `system.net.packets_${way}.${what}`),
    ),
  },
  uptime: { s: ['system.uptime'] },
};

/** A check of this host that also states the units of its metrics, before its first readings. */
export function withUnits(check: Check): Check {
  let isStated = false;
  const { name, everyMs, phaseMs } = check;
  const run = async (sink: CheckSink, signal: AbortSignal): Promise<void> => {
    if (!isStated) {
      for (const [unit, metrics] of Object.entries(UNITS[name] ?? {})) {
        for (const metric of metrics) sink.describe(metric, { unit });
      }
    }
    isStated = true;
    await check.run(sink, signal);
  };
  return {
    ...{ name, everyMs, phaseMs, run },
    detail: check.detail?.bind(check),
    leftOut: check.leftOut?.bind(check),
    close: check.close?.bind(check),
  };
}
