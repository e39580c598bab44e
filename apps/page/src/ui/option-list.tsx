import { type MouseEvent, type Ref, useEffect, useRef } from 'react';

export interface ComboboxOption {
  readonly value: string;
  /** Shown at the right, such as the number of series. */
  readonly hint?: string;
  /** Indexes of the characters of `value` that match the typed text. */
  readonly marks?: readonly number[];
}

export interface OptionListProps<T extends ComboboxOption> {
  readonly id: string;
  readonly label: string;
  readonly options: readonly T[];
  /** Index of the option that Enter chooses; -1 for none. */
  readonly active: number;
  /** Text of a list without options. */
  readonly nothing: string;
  readonly onChoose: (option: T) => void;
  readonly onActive: (index: number) => void;
  readonly ref?: Ref<HTMLDivElement>;
}

/** Returns the id of an option, for `aria-activedescendant` of the field; undefined for none. */
export function optionId(listId: string, active: number): string | undefined {
  return active < 0 ? undefined : `${listId}-${active}`;
}

/** The suggestions of a text field. The field keeps the focus and the keyboard: it names the active option by its id. */
export function OptionList<T extends ComboboxOption>(props: OptionListProps<T>) {
  const { id, label, options, active, nothing, onChoose, onActive, ref } = props;
  const activeOption = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `active` says which element the ref has.
  useEffect(() => {
    activeOption.current?.scrollIntoView({ block: 'nearest' });
  }, [active]);
  const mouse = useRef<string>(undefined);
  // A list that opens below a mouse at rest gets an event, too: Enter must not choose what happens to be there.
  const hasMoved = ({ clientX, clientY }: MouseEvent): boolean => {
    const before = mouse.current;
    mouse.current = `${clientX} ${clientY}`;
    return before !== undefined && before !== mouse.current;
  };
  return (
    <div id={id} ref={ref} onMouseEnter={hasMoved} role="listbox" aria-label={label} className="combobox-list">
      {options.length === 0 && <div className="combobox-nothing">{nothing}</div>}
      {options.map((option, i) => (
        <div
          key={`${option.value} ${option.hint}`}
          id={optionId(id, i)}
          ref={i === active ? activeOption : undefined}
          role="option"
          tabIndex={-1}
          aria-selected={i === active}
          className="combobox-option"
          onMouseDown={(event) => {
            event.preventDefault();
            onChoose(option);
          }}
          onMouseMove={(event) => {
            if (hasMoved(event)) onActive(i);
          }}
        >
          <span className="combobox-value">
            <Marked text={option.value} marks={option.marks ?? []} />
          </span>
          {option.hint !== undefined && <span className="hint">{option.hint}</span>}
        </div>
      ))}
    </div>
  );
}

/** A text with the matched characters marked, one element for each run of them. */
function Marked({ text, marks }: { readonly text: string; readonly marks: readonly number[] }) {
  const runs: { readonly from: number; to: number }[] = [];
  for (const at of marks) {
    const last = runs.at(-1);
    if (last?.to === at) last.to++;
    else runs.push({ from: at, to: at + 1 });
  }
  return (
    <>
      {runs.map(({ from, to }, i) => (
        <span key={from}>
          {text.slice(runs[i - 1]?.to ?? 0, from)}
          <mark>{text.slice(from, to)}</mark>
        </span>
      ))}
      {text.slice(runs.at(-1)?.to ?? 0)}
    </>
  );
}
