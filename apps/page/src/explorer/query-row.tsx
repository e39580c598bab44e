import { CALENDAR_UNITS, ROLLUP_METHODS } from '@tidemark/query-language/completion';
import { type ReactNode, useEffect, useState } from 'react';
import type { MetricList } from '../api/api-types.ts';
import { Combobox } from '../ui/combobox.tsx';
import { GroupBy } from './group-by.tsx';
import { AGGREGATORS, PERCENTILES, type QueryFields, type ShownAs, usualFields } from './query-text.ts';
import { TagFilters } from './tag-filters.tsx';
import { metricOptions, useMetrics, useTagKeys } from './use-suggestions.ts';

/** The reader's time zone, in which calendar days, weeks and months begin. */
const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
/** Steps to choose from: seconds, then calendars. */
const STEPS: readonly string[] = [
  ...[1, 5, 10, 30, 60, 300, 900, 3_600, 86_400].map(String),
  ...CALENDAR_UNITS.map((unit) => `${unit}, '${ZONE}'`),
];

export interface QueryRowProps {
  readonly fields: QueryFields;
  readonly listed: MetricList | undefined;
  /** Name of the row in a formula; empty when there is no other row. */
  readonly name: string;
  readonly onChange: (fields: QueryFields) => void;
  readonly onRemove: (() => void) | undefined;
}

/** The fields of one query. A new metric gets the aggregation that its kind is usually read with. */
export function QueryRow({ fields, listed, name, onChange, onRemove }: QueryRowProps) {
  const [typed, setTyped] = useState(fields.metric);
  useEffect(() => setTyped(fields.metric), [fields.metric]);
  // The chosen name is not a search text: the list offers all metrics.
  const search = typed === fields.metric ? '' : typed;
  const metrics = useMetrics(listed, search);
  const keys = useTagKeys(fields.metric);
  const change = (part: Partial<QueryFields>): void => onChange({ ...fields, ...part });
  const choose = (text: string): void => {
    const metric = text.trim();
    if (metric === '' || metric === fields.metric) return;
    const kinds = metrics?.find((one) => one.metric === metric)?.kinds;
    change({ metric, ...(kinds === undefined ? {} : usualFields(kinds)) });
  };

  return (
    <fieldset className="builder" aria-label={name === '' ? 'Query fields' : `Query ${name}`}>
      <Field label={name === '' ? 'Metric' : `${name} · Metric`} className="is-wide">
        <Combobox
          label="Metric"
          placeholder="search metrics…"
          value={typed}
          options={metricOptions(metrics ?? [], search)}
          onType={setTyped}
          onChoose={choose}
          nothing={metrics === undefined ? 'loading…' : 'no matching metric'}
        />
      </Field>
      <Field label="Aggregate">
        <div className="pair">
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
          <Select label="Show amounts" value={fields.as} onChange={(as) => change({ as: asOf(as) })}>
            <option value="">as is</option>
            <option value="rate">per second</option>
            <option value="count">per step</option>
          </Select>
        </div>
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
          <Select label="Step" value={fields.rollupStep} onChange={(rollupStep) => change({ rollupStep })}>
            <option value="">auto step</option>
            {stepsWith(fields.rollupStep).map((step) => (
              <option key={step} value={step}>
                {stepName(step)}
              </option>
            ))}
          </Select>
        </div>
      </Field>
      {onRemove !== undefined && (
        <button type="button" className="row-remove" aria-label={`remove query ${name}`} onClick={onRemove}>
          ×
        </button>
      )}
    </fieldset>
  );
}

function asOf(value: string): ShownAs {
  return value === 'rate' || value === 'count' ? value : '';
}

function withCurrent(names: readonly string[], current: string): readonly string[] {
  return [...names, ...PERCENTILES].includes(current) ? names : [...names, current];
}

function stepsWith(current: string): readonly string[] {
  return current === '' || STEPS.includes(current) ? STEPS : [...STEPS, current];
}

function stepName(step: string): string {
  const seconds = Number(step);
  if (Number.isNaN(seconds)) return step.replaceAll("'", '');
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
