import { useEffect, useState } from 'react';
import type { MetricInfo, MetricList, TagKey } from '../api/api-types.ts';
import { useServices } from '../services.ts';
import type { ComboboxOption } from '../ui/option-list.tsx';
import { usePolling } from '../use-polling.ts';
import { ranked } from './fuzzy.ts';

const TYPING_PAUSE_MS = 150;
const MAX_OPTIONS = 100;
const TAGS_EVERY_MS = 30_000;
const METRICS_EVERY_MS = 10_000;

/** Returns the metrics, as many as the server lists at once. Undefined until the first answer. */
export function useMetricList(): MetricList | undefined {
  const { client } = useServices();
  return usePolling((signal) => client.metrics('', signal), 'all metrics', METRICS_EVERY_MS).data;
}

/**
 * Returns the metrics of `listed`; when it is cut, with those whose name contains the typed text, once typing pauses. The
 * caller ranks them by the typed text, which also leaves out an answer to an earlier text.
 */
export function useMetrics(listed: MetricList | undefined, typed: string): readonly MetricInfo[] | undefined {
  const { client } = useServices();
  const settled = useSettled(typed.trim());
  const key = listed?.isCut === true && settled !== '' ? `metrics ${settled}` : undefined;
  const { data: found } = usePolling((signal) => client.metrics(settled, signal), key, METRICS_EVERY_MS);
  if (listed === undefined || found === undefined || key === undefined) return listed?.metrics;
  const known = new Set(listed.metrics.map(({ metric }) => metric));
  return [...listed.metrics, ...found.metrics.filter(({ metric }) => !known.has(metric))];
}

/** Returns the tag keys of a metric with their values, once its name stays the same; none for an unknown metric. */
export function useTagKeys(metric: string): readonly TagKey[] {
  const { client } = useServices();
  const settled = useSettled(metric);
  const key = settled === '' ? undefined : settled;
  const polled = usePolling((signal) => client.tags(settled, signal), key, TAGS_EVERY_MS);
  return polled.dataKey === metric ? (polled.data ?? []) : [];
}

function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), TYPING_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}

export function metricOptions(metrics: readonly MetricInfo[], typed: string): readonly ComboboxOption[] {
  return ranked(typed, metrics, ({ metric }) => metric, MAX_OPTIONS).map(({ item, marks }) => ({
    value: item.metric,
    hint: metricHint(item),
    marks,
  }));
}

export function metricHint({ classes, series }: MetricInfo): string {
  return `${classes.join(', ')} · ${series} series`;
}

export function keyOptions(keys: readonly TagKey[], typed: string): readonly ComboboxOption[] {
  return ranked(typed, keys, ({ key }) => key, MAX_OPTIONS).map(({ item: { key, values }, marks }) => ({
    value: key,
    hint: values === 1 ? '1 value' : `${values} values`,
    marks,
  }));
}

export function valueOptions(keys: readonly TagKey[], key: string, typed: string): readonly ComboboxOption[] {
  const top = keys.find((one) => one.key === key)?.top ?? [];
  return ranked(typed, top, ({ value }) => value, MAX_OPTIONS).map(({ item: { value, series }, marks }) => ({
    value,
    hint: `${series} series`,
    marks,
  }));
}
