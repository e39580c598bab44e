import { type KeyboardEvent, useEffect, useState } from 'react';
import { FUNCTION_CHOICES } from './function-choices.ts';
import { type QueryRows, unknownNames, withFunction } from './query-rows.ts';

export interface FormulaRowProps {
  readonly parsed: QueryRows;
  readonly onRun: (rows: QueryRows) => void;
  /** Undefined when there is an empty row already. */
  readonly onAdd: (() => void) | undefined;
}

/** What is computed from the queries above: arithmetic over their names, and functions around it. */
export function FormulaRow({ parsed, onRun, onAdd }: FormulaRowProps) {
  const [typed, setTyped] = useState(parsed.formula);
  useEffect(() => setTyped(parsed.formula), [parsed.formula]);
  const unknown = unknownNames({ ...parsed, formula: typed });
  const run = (): void => {
    if (typed.trim() !== parsed.formula && unknown.length === 0) onRun({ ...parsed, formula: typed.trim() });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter') run();
    else if (event.key === 'Escape') setTyped(parsed.formula);
  };
  return (
    <div className="formula-row">
      <input
        type="text"
        className={`code ${unknown.length > 0 ? 'is-wrong' : ''}`}
        aria-label="Formula"
        aria-invalid={unknown.length > 0}
        placeholder={parsed.rows.length > 1 ? 'formula, such as 100 * a / b' : 'formula, such as 8 * a'}
        autoComplete="off"
        spellCheck={false}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onBlur={run}
        onKeyDown={onKeyDown}
      />
      <select
        aria-label="Add function"
        value=""
        onChange={(event) => {
          const chosen = FUNCTION_CHOICES.find(({ name }) => name === event.target.value);
          if (chosen !== undefined) onRun({ ...parsed, formula: withFunction(parsed, chosen.name, chosen.args) });
        }}
      >
        <option value="">+ function</option>
        {FUNCTION_CHOICES.map(({ name, args }) => (
          <option key={name} value={name}>
            {args === '' ? name : `${name}(${args})`}
          </option>
        ))}
      </select>
      <button type="button" onClick={onAdd} disabled={onAdd === undefined}>
        + query
      </button>
      {unknown.length > 0 && (
        <p className="field-error" role="status">
          no query is named {unknown.join(', ')}
        </p>
      )}
    </div>
  );
}
