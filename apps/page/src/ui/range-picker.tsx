import { type FormEvent, useRef, useState } from 'react';
import { betweenRange, boundsOf, RANGE_PRESETS, type TimeRange } from '../time-range.ts';
import { keepInside } from './keep-inside.ts';
import { useDismiss } from './use-dismiss.ts';

export interface RangePickerProps {
  readonly range: TimeRange;
  readonly nowMs: number;
  readonly onChange: (range: TimeRange) => void;
}

/** Presets that follow the clock, and two fields for a fixed range. */
export function RangePicker({ range, nowMs, onChange }: RangePickerProps) {
  const [isOpen, setIsOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  useDismiss(root, isOpen, () => setIsOpen(false));
  const isCustom = range.type === 'between';
  const isOther = range.type === 'last' && !RANGE_PRESETS.some(({ seconds }) => seconds === range.seconds);
  return (
    <div className="range-picker" ref={root}>
      <fieldset className="segments">
        <legend className="unseen">Time range</legend>
        {RANGE_PRESETS.map(({ name, seconds }) => (
          <button
            key={name}
            type="button"
            aria-pressed={range.type === 'last' && range.seconds === seconds}
            title={`the last ${name}, live`}
            onClick={() => {
              setIsOpen(false);
              onChange({ type: 'last', seconds });
            }}
          >
            {name}
          </button>
        ))}
        <button
          type="button"
          aria-pressed={isCustom || isOther}
          aria-expanded={isOpen}
          onClick={() => setIsOpen(!isOpen)}
        >
          {isOther ? `${range.seconds}s` : 'Custom'}
        </button>
      </fieldset>
      {isOpen && (
        <CustomRange
          range={range}
          nowMs={nowMs}
          onChange={(chosen) => {
            setIsOpen(false);
            onChange(chosen);
          }}
        />
      )}
    </div>
  );
}

function CustomRange({ range, nowMs, onChange }: RangePickerProps) {
  const [bounds] = useState(() => boundsOf(range, nowMs));
  const [from, setFrom] = useState(() => localText(bounds.fromMs));
  const [to, setTo] = useState(() => localText(bounds.toMs));
  const chosen = betweenRange(new Date(from).getTime(), new Date(to).getTime());
  const apply = (event: FormEvent): void => {
    event.preventDefault();
    if (chosen !== undefined) onChange(chosen);
  };
  return (
    <form ref={keepInside} className="popover custom-range" onSubmit={apply} aria-label="Custom time range">
      <label>
        From
        <input type="datetime-local" step={1} value={from} onChange={(event) => setFrom(event.target.value)} />
      </label>
      <label>
        To
        <input type="datetime-local" step={1} value={to} onChange={(event) => setTo(event.target.value)} />
      </label>
      <p className="field-error" role="status">
        {chosen === undefined ? '“To” must be 5 s to 366 days after “From”.' : ''}
      </p>
      <button type="submit" className="primary" disabled={chosen === undefined}>
        Show
      </button>
    </form>
  );
}

/** Formats a time for a `datetime-local` field, in the reader's time zone. */
function localText(timeMs: number): string {
  const shifted = timeMs - new Date(timeMs).getTimezoneOffset() * 60_000;
  return new Date(shifted).toISOString().slice(0, 19);
}
