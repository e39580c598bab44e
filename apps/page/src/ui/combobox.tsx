import { type KeyboardEvent, useId, useLayoutEffect, useRef, useState } from 'react';
import { keepInside } from './keep-inside.ts';
import { type ComboboxOption, OptionList, optionId } from './option-list.tsx';
import { useDismiss } from './use-dismiss.ts';

export interface ComboboxProps {
  readonly label: string;
  readonly placeholder: string;
  readonly value: string;
  /** Options for the typed text; the caller filters them. */
  readonly options: readonly ComboboxOption[];
  readonly onType: (text: string) => void;
  readonly onChoose: (value: string) => void;
  /** Text of a list without options. */
  readonly nothing?: string;
  readonly className?: string;
}

/** A text field with a list of suggestions (WAI-ARIA: combobox with list autocomplete). Enter accepts typed text. */
export function Combobox(props: ComboboxProps) {
  const { label, placeholder, value, options, onType, onChoose, nothing = 'nothing found', className = '' } = props;
  const [isOpen, setIsOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const listId = useId();
  const root = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  useDismiss(root, isOpen, () => setIsOpen(false));
  // Also with other options: a longer one makes the list wider.
  useLayoutEffect(() => keepInside(list.current));

  const choose = (chosen: string): void => {
    setIsOpen(false);
    setActive(-1);
    onChoose(chosen);
  };
  const move = (to: number): void => {
    setIsOpen(true);
    setActive(to);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown') move(Math.min(active + 1, options.length - 1));
    else if (event.key === 'ArrowUp') move(Math.max(active - 1, -1));
    else if (event.key === 'Enter') choose(isOpen && active >= 0 ? options[active].value : value);
    else return;
    event.preventDefault();
  };

  return (
    <div className={`combobox ${className}`} ref={root}>
      <input
        type="text"
        role="combobox"
        aria-label={label}
        aria-expanded={isOpen}
        aria-controls={listId}
        aria-autocomplete="list"
        aria-activedescendant={isOpen ? optionId(listId, active) : undefined}
        autoComplete="off"
        spellCheck={false}
        placeholder={placeholder}
        value={value}
        onChange={(event) => {
          setIsOpen(true);
          setActive(-1);
          onType(event.target.value);
        }}
        onFocus={(event) => {
          event.target.select();
          setIsOpen(true);
        }}
        onBlur={() => setIsOpen(false)}
        onKeyDown={onKeyDown}
      />
      {isOpen && (
        <OptionList
          ref={list}
          id={listId}
          label={label}
          options={options}
          active={active}
          nothing={nothing}
          onChoose={(option) => choose(option.value)}
          onActive={setActive}
        />
      )}
    </div>
  );
}
