import { useState } from 'react';
import type { TagKey } from '../api/api-types.ts';
import { Combobox } from '../ui/combobox.tsx';
import type { TagChoice } from './query-text.ts';
import { keyOptions, valueOptions } from './use-suggestions.ts';

export interface TagFiltersProps {
  readonly keys: readonly TagKey[];
  readonly filters: readonly TagChoice[];
  readonly onChange: (filters: readonly TagChoice[]) => void;
}

/** Chips of `key:value`. A chip's sign selects or excludes the tag. The reader chooses a key first, then a value. */
export function TagFilters({ keys, filters, onChange }: TagFiltersProps) {
  const [key, setKey] = useState<string>();
  const [typed, setTyped] = useState('');
  const replace = (at: number, filter: TagChoice): void => onChange(filters.map((one, i) => (i === at ? filter : one)));
  const finish = (value: string): void => {
    const parts = key === undefined ? splitTag(value) : { key, value };
    setTyped('');
    // After a key alone, the field is for its value.
    setKey(parts.value === '' && parts.key !== '' ? parts.key : undefined);
    if (parts.value !== '') onChange([...filters, { ...parts, negated: false }]);
  };

  return (
    <div className="chips">
      {filters.map((filter, i) => {
        const tag = filter.key === '' ? filter.value : `${filter.key}:${filter.value}`;
        return (
          <span className="chip" key={`${tag} ${filter.negated}`}>
            <button
              type="button"
              className="chip-sign"
              aria-pressed={filter.negated}
              aria-label={`exclude ${tag}`}
              title={filter.negated ? 'excluded; click to select' : 'selected; click to exclude'}
              onClick={() => replace(i, { ...filter, negated: !filter.negated })}
            >
              {filter.negated ? '≠' : '='}
            </button>
            {tag}
            <button
              type="button"
              className="chip-remove"
              aria-label={`remove filter ${tag}`}
              onClick={() => onChange(filters.filter((_, at) => at !== i))}
            >
              ×
            </button>
          </span>
        );
      })}
      {key !== undefined && (
        <button type="button" className="chip-key" title="choose another key" onClick={() => setKey(undefined)}>
          {key}:
        </button>
      )}
      <Combobox
        key={key ?? ''}
        className="is-inline"
        label={key === undefined ? 'Filter: tag key' : `Filter: value of ${key}`}
        placeholder={key === undefined ? (filters.length === 0 ? 'all series' : 'add') : 'value or pattern (*)'}
        value={typed}
        options={key === undefined ? keyOptions(keys, typed) : valueOptions(keys, key, typed)}
        onType={setTyped}
        onChoose={finish}
        nothing={key === undefined ? 'no matching key; type key:value' : 'value not listed; press Enter to use it'}
      />
    </div>
  );
}

/** Splits typed text into key and value; a word without a colon is a key. */
function splitTag(text: string): { readonly key: string; readonly value: string } {
  const colon = text.indexOf(':');
  return colon < 0 ? { key: text, value: '' } : { key: text.slice(0, colon), value: text.slice(colon + 1) };
}
