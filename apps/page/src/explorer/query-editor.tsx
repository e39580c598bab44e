import { useEffect, useState } from 'react';
import type { ApiError } from '../api/api-error.ts';
import type { MetricList } from '../api/api-types.ts';
import { QueryField } from './query-field.tsx';

export interface QueryEditorProps {
  /** The query that is shown now. */
  readonly query: string;
  readonly listed: MetricList | undefined;
  readonly error: ApiError | undefined;
  readonly onRun: (query: string) => void;
}

/** The query's text. Enter or the button runs it. A syntax error is marked at its column. */
export function QueryEditor({ query, listed, error, onRun }: QueryEditorProps) {
  const [text, setText] = useState(query);
  useEffect(() => setText(query), [query]);
  const run = (): void => onRun(text.trim());
  const isWrong = error?.kind === 'refused' && text === query;
  return (
    <div className="query-editor">
      <label className="field-label" htmlFor="query-text">
        Query
      </label>
      <div className="query-line">
        <QueryField
          id="query-text"
          text={text}
          listed={listed}
          isWrong={isWrong}
          errorId="query-error"
          onType={setText}
          onRun={run}
          onReset={() => setText(query)}
        />
        <button type="button" className="primary" onClick={run} disabled={text.trim() === query && !isWrong}>
          Run
        </button>
      </div>
      <div id="query-error" className="query-error" role="status">
        {isWrong && <ErrorLines text={query} error={error} />}
      </div>
    </div>
  );
}

/** Characters shown before the column of an error, and in all. */
const BEFORE = 60;
const AROUND = 100;

function ErrorLines({ text, error }: { readonly text: string; readonly error: ApiError }) {
  const { place, message } = error;
  if (place === undefined) return <p>{message}</p>;
  const from = Math.max(0, place.column - 1 - BEFORE);
  const excerpt = [...text].slice(from, from + AROUND).join('');
  return (
    <>
      <pre className="code" aria-hidden="true">
        {`${excerpt}\n${' '.repeat(place.column - 1 - from)}^`}
      </pre>
      <p>{message}</p>
    </>
  );
}
