import { caretPlace } from '@tidemark/query-language/completion';
import { type KeyboardEvent, useId, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { MetricList } from '../api/api-types.ts';
import { keepInside } from '../ui/keep-inside.ts';
import { OptionList, optionId } from '../ui/option-list.tsx';
import { useDismiss } from '../ui/use-dismiss.ts';
import { type Completion, completionsAt } from './query-completions.ts';
import { useMetrics, useTagKeys } from './use-suggestions.ts';

export interface QueryFieldProps {
  readonly id: string;
  readonly text: string;
  readonly listed: MetricList | undefined;
  readonly isWrong: boolean;
  /** Id of the element with the error. */
  readonly errorId: string;
  readonly onType: (text: string) => void;
  readonly onRun: () => void;
  /** Escape without a list: the text of the shown query is back. */
  readonly onReset: () => void;
}

/**
 * A text field that suggests what may stand at the caret: metrics, tags, functions, methods (WAI-ARIA: combobox with list
 * autocomplete). Enter runs the text unless an option is active.
 */
export function QueryField({ id, text, listed, isWrong, errorId, onType, onRun, onReset }: QueryFieldProps) {
  const [caret, setCaret] = useState(0);
  const [isOpen, setIsOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const listId = useId();
  const root = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const nextSelection = useRef<readonly [number, number]>(undefined);
  useDismiss(root, isOpen, () => close());
  useLayoutEffect(() => keepInside(list.current));
  // React moves the caret to the end of a text that it sets.
  useLayoutEffect(() => {
    if (nextSelection.current === undefined) return;
    input.current?.setSelectionRange(...nextSelection.current);
    nextSelection.current = undefined;
  });

  const place = useMemo(() => (isOpen ? caretPlace(text, caret) : undefined), [isOpen, text, caret]);
  const isOfMetric = place?.place.type === 'metric' || place?.place.type === 'operand';
  const metrics = useMetrics(listed, isOfMetric ? place.typed : '') ?? [];
  const keys = useTagKeys(isOfMetric ? '' : (place?.metric ?? ''));
  const options = place === undefined ? [] : completionsAt(text, caret, place, { metrics, keys });
  const isShown = isOpen && options.length > 0;

  function close(): void {
    setIsOpen(false);
    setActive(-1);
  }
  const accept = ({ text: inserted, from, to, select, goesOn }: Completion): void => {
    nextSelection.current = [from + select[0], from + select[1]];
    if (!goesOn) nextSelection.current = [from + inserted.length, from + inserted.length];
    setCaret(nextSelection.current[1]);
    setActive(-1);
    setIsOpen(goesOn);
    onType(text.slice(0, from) + inserted + text.slice(to));
  };
  const move = (by: 1 | -1): void => {
    if (!isOpen) open();
    else setActive((at) => Math.min(Math.max(at + by, -1), options.length - 1));
  };
  const open = (): void => {
    setCaret(input.current?.selectionEnd ?? text.length);
    setIsOpen(true);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const chosen = isShown ? options[active] : undefined;
    if (event.key === 'ArrowDown') move(1);
    else if (event.key === 'ArrowUp' && isShown) move(-1);
    else if (event.key === 'Enter' || (event.key === 'Tab' && chosen !== undefined)) {
      if (chosen !== undefined) accept(chosen);
      else {
        close();
        onRun();
      }
    } else if (event.key === 'Escape' && !isShown) {
      close();
      onReset();
      return;
    } else return;
    event.preventDefault();
  };

  return (
    <div className="combobox query-field" ref={root}>
      <input
        id={id}
        ref={input}
        type="text"
        role="combobox"
        aria-expanded={isShown}
        aria-controls={listId}
        aria-autocomplete="list"
        aria-activedescendant={isShown ? optionId(listId, active) : undefined}
        className={`code ${isWrong ? 'is-wrong' : ''}`}
        aria-invalid={isWrong}
        aria-describedby={errorId}
        spellCheck={false}
        autoComplete="off"
        placeholder="avg:system.cpu.user{*} by {host}"
        value={text}
        onChange={(event) => {
          setCaret(event.target.selectionEnd ?? event.target.value.length);
          setActive(-1);
          setIsOpen(true);
          onType(event.target.value);
        }}
        onSelect={(event) => setCaret(event.currentTarget.selectionEnd ?? text.length)}
        onBlur={close}
        onKeyDown={onKeyDown}
      />
      {isShown && (
        <OptionList
          ref={list}
          id={listId}
          label="Suggestions for the query"
          options={options}
          active={active}
          nothing=""
          onChoose={accept}
          onActive={setActive}
        />
      )}
    </div>
  );
}
