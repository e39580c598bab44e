import { useEffect, useState } from 'react';
import type { MetricInfo, TagKey } from '../api/api-types.ts';
import { useServices } from '../services.ts';
import type { ComboboxOption } from '../ui/combobox.tsx';
import { usePolling } from '../use-polling.ts';

const TYPING_PAUSE_MS = 150;
const MAX_OPTIONS = 100;
const TAGS_EVERY_MS = 30_000;
const METRICS_EVERY_MS = 10_000;

/** Returns the metrics whose name contains the typed text, once typing pauses. Undefined until the first answer. */
export function useMetrics(typed: string): readonly MetricInfo[] | undefined {
  const { client } = useServices();
  const settled = useSettled(typed.trim());
  return usePolling((signal) => client.metrics(settled, signal), `metrics ${settled}`, METRICS_EVERY_MS).data;
}

/** Returns the tag keys of a metric with their values; none for an unknown metric. */
export function useTagKeys(metric: string): readonly TagKey[] {
  const { client } = useServices();
  const key = metric === '' ? undefined : metric;
  const polled = usePolling((signal) => client.tags(metric, signal), key, TAGS_EVERY_MS);
  return polled.dataKey === key ? (polled.data ?? []) : [];
}

function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), TYPING_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}

/** Filters the metrics by the typed text, because the answer may be for an earlier text. */
export function metricOptions(metrics: readonly MetricInfo[], typed: string): readonly ComboboxOption[] {
  const found = metrics.filter(({ metric }) => metric.includes(typed.trim()));
  return found.slice(0, MAX_OPTIONS).map(({ metric, classes, series }) => ({
    value: metric,
    hint: `${classes.join(', ')} · ${series} series`,
  }));
}

export function keyOptions(keys: readonly TagKey[], typed: string): readonly ComboboxOption[] {
  return keys
    .filter(({ key }) => key.includes(typed))
    .map(({ key, values }) => ({ value: key, hint: values === 1 ? '1 value' : `${values} values` }));
}

export function valueOptions(keys: readonly TagKey[], key: string, typed: string): readonly ComboboxOption[] {
  const top = keys.find((one) => one.key === key)?.top ?? [];
  return top
    .filter(({ value }) => value.includes(typed))
    .slice(0, MAX_OPTIONS)
    .map(({ value, series }) => ({ value, hint: `${series} series` }));
}
