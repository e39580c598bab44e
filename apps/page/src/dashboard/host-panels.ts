import type { AnswerSeries } from '../api/api-types.ts';
import { EMPTY_FIELDS, printFields } from '../explorer/query-text.ts';
import type { UnitName } from '../format/units.ts';

/** A graph of the dashboard. docs/agent.md describes the metrics. */
export interface HostPanel {
  readonly title: string;
  readonly metrics: readonly string[];
  readonly groupBy?: string;
  readonly unit: UnitName;
  readonly filled?: boolean;
}

export const HOST_PANELS: readonly HostPanel[] = [
  {
    title: 'CPU',
    metrics: ['system.cpu.user', 'system.cpu.system', 'system.cpu.iowait', 'system.cpu.stolen'],
    unit: 'percent',
    filled: true,
  },
  { title: 'Load', metrics: ['system.load.1', 'system.load.5', 'system.load.15'], unit: 'none' },
  {
    title: 'Memory',
    metrics: ['system.mem.used', 'system.mem.usable', 'system.mem.cached'],
    unit: 'bytes',
    filled: true,
  },
  {
    title: 'Network',
    metrics: ['system.net.bytes_rcvd', 'system.net.bytes_sent'],
    groupBy: 'device_name',
    unit: 'bytes/s',
    filled: true,
  },
  {
    title: 'Disk throughput',
    metrics: ['system.io.rkb_s', 'system.io.wkb_s'],
    groupBy: 'device_name',
    unit: 'bytes/s',
    filled: true,
  },
  { title: 'Disk in use', metrics: ['system.disk.in_use'], groupBy: 'device_name', unit: 'percent' },
];

/** Max number of lines in a panel. */
export const PANEL_LINES = 6;

/** Returns one query for all metrics of a panel; an empty `host` selects all hosts. */
export function panelQuery({ metrics, groupBy }: HostPanel, host: string): string {
  const filters = host === '' ? [] : [{ key: 'host', value: host, negated: false }];
  return metrics
    .map((metric) => printFields({ ...EMPTY_FIELDS, metric, filters, groupBy: groupBy === undefined ? [] : [groupBy] }))
    .join(', ');
}

const SHORT_NAMES: Readonly<Record<string, string>> = {
  'system.load.1': '1 min',
  'system.load.5': '5 min',
  'system.load.15': '15 min',
  'system.net.bytes_rcvd': 'in',
  'system.net.bytes_sent': 'out',
  'system.io.rkb_s': 'read',
  'system.io.wkb_s': 'write',
};

/** Returns a short label for a line of a panel, whose title has the rest: `user`, `eth0 in`, `vda1`. */
export function panelLabel(panel: HostPanel, series: AnswerSeries): string {
  const short = SHORT_NAMES[series.metric] ?? series.metric.slice(series.metric.lastIndexOf('.') + 1);
  if (panel.groupBy === undefined) return short;
  const prefix = `${panel.groupBy}:`;
  const group = series.tags.find((tag) => tag.startsWith(prefix))?.slice(prefix.length) ?? series.scope;
  return panel.metrics.length === 1 ? group : `${group} ${short}`;
}
