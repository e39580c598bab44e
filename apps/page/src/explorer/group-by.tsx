import { useState } from 'react';
import type { TagKey } from '../api/api-types.ts';
import { Combobox } from '../ui/combobox.tsx';
import { keyOptions } from './use-suggestions.ts';

export interface GroupByProps {
  readonly keys: readonly TagKey[];
  readonly groupBy: readonly string[];
  readonly onChange: (groupBy: readonly string[]) => void;
}

/** The tag keys to group by: each combination of their values is one line. */
export function GroupBy({ keys, groupBy, onChange }: GroupByProps) {
  const [typed, setTyped] = useState('');
  const free = keys.filter(({ key }) => !groupBy.includes(key));
  return (
    <div className="chips">
      {groupBy.map((key) => (
        <span className="chip" key={key}>
          {key}
          <button
            type="button"
            className="chip-remove"
            aria-label={`remove group ${key}`}
            onClick={() => onChange(groupBy.filter((one) => one !== key))}
          >
            ×
          </button>
        </span>
      ))}
      <Combobox
        className="is-inline"
        label="Group by tag key"
        placeholder={groupBy.length === 0 ? 'no grouping' : 'add'}
        value={typed}
        options={keyOptions(free, typed)}
        onType={setTyped}
        onChoose={(key) => {
          setTyped('');
          if (key !== '' && !groupBy.includes(key)) onChange([...groupBy, key]);
        }}
        nothing="no matching tag key"
      />
    </div>
  );
}
