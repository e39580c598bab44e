import { useState } from 'react';
import type { MetricList } from '../api/api-types.ts';
import { FormulaRow } from './formula-row.tsx';
import { QueryRow } from './query-row.tsx';
import { MOST_ROWS, nameOfRow, parseRows, printRows, type QueryRows } from './query-rows.ts';
import { EMPTY_FIELDS, type QueryFields } from './query-text.ts';

export interface QueryBuilderProps {
  readonly query: string;
  readonly listed: MetricList | undefined;
  readonly onRun: (query: string) => void;
}

/** A row of fields for each query, and a formula over them. Each change writes and runs the text. */
export function QueryBuilder({ query, listed, onRun }: QueryBuilderProps) {
  // A row without a metric is not in the text.
  const [hasNew, setHasNew] = useState(false);
  const parsed = parseRows(query);
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
  const isNewShown = hasNew || parsed.rows.length === 0;
  const rows = isNewShown ? [...parsed.rows, EMPTY_FIELDS] : parsed.rows;
  const run = (next: QueryRows): void => onRun(printRows(next));
  const change = (at: number, fields: QueryFields): void => {
    if (at === parsed.rows.length) setHasNew(false);
    run({ ...parsed, rows: rows.map((row, i) => (i === at ? fields : row)).filter(({ metric }) => metric !== '') });
  };
  const remove = (at: number): void => {
    if (at === parsed.rows.length) setHasNew(false);
    // A formula without one of its queries means nothing.
    else run({ rows: parsed.rows.filter((_, i) => i !== at), formula: '' });
  };

  return (
    <>
      {rows.map((fields, at) => (
        <QueryRow
          key={nameOfRow(at)}
          fields={fields}
          listed={listed}
          name={rows.length > 1 || parsed.formula !== '' ? nameOfRow(at) : ''}
          onChange={(next) => change(at, next)}
          onRemove={rows.length > 1 ? () => remove(at) : undefined}
        />
      ))}
      {parsed.rows.length > 0 && (
        <FormulaRow
          parsed={parsed}
          onRun={run}
          onAdd={isNewShown || rows.length >= MOST_ROWS ? undefined : () => setHasNew(true)}
        />
      )}
    </>
  );
}
