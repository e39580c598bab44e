import { type ReactNode, useEffect, useState } from 'react';
import { Combobox } from '../ui/combobox.tsx';
import { GroupBy } from './group-by.tsx';
import {
  AGGREGATORS,
  EMPTY_FIELDS,
  PERCENTILES,
  parseFields,
  printFields,
  type QueryFields,
  ROLLUP_METHODS,
} from './query-text.ts';
import { TagFilters } from './tag-filters.tsx';
import { metricOptions, useMetrics, useTagKeys } from './use-suggestions.ts';

/** Steps to choose from, s. */
const ROLLUP_SECONDS = [1, 5, 10, 30, 60, 300, 900, 3_600, 86_400];

export interface QueryBuilderProps {
  readonly query: string;
  readonly onRun: (query: string) => void;
}

/** Fields for a simple query. Each change writes and runs the text. They are hidden for a text that they can't show. */
export function QueryBuilder({ query, onRun }: QueryBuilderProps) {
  const parsed = query === '' ? EMPTY_FIELDS : parseFields(query);
  const fields = parsed ?? EMPTY_FIELDS;
  const [typed, setTyped] = useState(fields.metric);
  useEffect(() => setTyped(fields.metric), [fields.metric]);
  // The chosen name is not a search text: the list offers all metrics.
  const search = typed === fields.metric ? '' : typed;
  const metrics = useMetrics(search);
  const keys = useTagKeys(fields.metric);
  const change = (part: Partial<QueryFields>): void => {
    const text = printFields({ ...fields, ...part });
    if (text !== '') onRun(text);
  };

  if (parsed === undefined) {
    return (
      <div className="builder is-off">
        <p className="hint">The fields cannot show this query. Edit its text, or clear it.</p>
        <button type="button" onClick={() => onRun('')}>
          Clear query
        </button>
      </div>
    );
  }
  return (
    <div className="builder">
      <Field label="Metric" className="is-wide">
        <Combobox
          label="Metric"
          placeholder="search metrics…"
          value={typed}
          options={metricOptions(metrics ?? [], search)}
          onType={setTyped}
          onChoose={(metric) => change({ metric: metric.trim() || fields.metric })}
          nothing={metrics === undefined ? 'loading…' : 'no matching metric'}
        />
      </Field>
      <Field label="Aggregate">
        <Select
          label="Aggregate over series"
          value={fields.aggregator}
          onChange={(aggregator) => change({ aggregator })}
        >
          <Options values={withCurrent(AGGREGATORS, fields.aggregator)} />
          <optgroup label="distributions only">
            <Options values={PERCENTILES} />
          </optgroup>
        </Select>
      </Field>
      <Field label="Filter" className="is-wide">
        <TagFilters keys={keys} filters={fields.filters} onChange={(filters) => change({ filters })} />
      </Field>
      <Field label="Group by">
        <GroupBy keys={keys} groupBy={fields.groupBy} onChange={(groupBy) => change({ groupBy })} />
      </Field>
      <Field label="Roll up">
        <div className="pair">
          <Select
            label="Aggregate over time"
            value={fields.rollupMethod}
            onChange={(rollupMethod) => change({ rollupMethod })}
          >
            <option value="">default</option>
            <Options values={ROLLUP_METHODS} />
          </Select>
          <Select
            label="Step"
            value={String(fields.rollupSeconds)}
            onChange={(seconds) => change({ rollupSeconds: Number(seconds) })}
          >
            <option value="0">auto step</option>
            {stepsWith(fields.rollupSeconds).map((seconds) => (
              <option key={seconds} value={seconds}>
                {stepName(seconds)}
              </option>
            ))}
          </Select>
        </div>
      </Field>
    </div>
  );
}

function withCurrent(names: readonly string[], current: string): readonly string[] {
  return [...names, ...PERCENTILES].includes(current) ? names : [...names, current];
}

function stepsWith(current: number): readonly number[] {
  return current === 0 || ROLLUP_SECONDS.includes(current) ? ROLLUP_SECONDS : [...ROLLUP_SECONDS, current];
}

function stepName(seconds: number): string {
  if (seconds % 86_400 === 0) return `${seconds / 86_400} d`;
  if (seconds % 3_600 === 0) return `${seconds / 3_600} h`;
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}

function Field(props: { readonly label: string; readonly className?: string; readonly children: ReactNode }) {
  return (
    <div className={`field ${props.className ?? ''}`}>
      <span className="field-label" aria-hidden="true">
        {props.label}
      </span>
      {props.children}
    </div>
  );
}

interface SelectProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly children: ReactNode;
}

function Select({ label, value, onChange, children }: SelectProps) {
  return (
    <select aria-label={label} value={value} onChange={(event) => onChange(event.target.value)}>
      {children}
    </select>
  );
}

function Options({ values }: { readonly values: readonly string[] }) {
  return values.map((value) => <option key={value}>{value}</option>);
}
