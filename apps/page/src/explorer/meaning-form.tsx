import { printable } from '@tidemark/model/safe-text';
import { type FormEvent, type ReactNode, useEffect, useState } from 'react';
import { ApiError } from '../api/api-error.ts';
import {
  changesOf,
  type MeaningField,
  type MeaningFields,
  type MetricMeaning,
  STATED_TYPES,
  shows,
} from '../api/metric-meaning.ts';
import { useServices } from '../services.ts';
import { usePolling } from '../use-polling.ts';

const EVERY_MS = 2_000;

const SOURCES: Readonly<Record<string, string>> = {
  user: 'stated by a user',
  protocol: 'stated by the sender',
  implied: 'implied by the sender',
  name: 'guessed from the name',
  '': 'not known',
};

export interface MeaningFormProps {
  readonly metric: string;
  readonly onClose: () => void;
}

/** What is known of a metric, who states it, and fields to correct it. A correction holds for all of history. */
export function MeaningForm({ metric, onClose }: MeaningFormProps) {
  const { client } = useServices();
  const polled = usePolling((signal) => client.meaning(metric, signal), metric, EVERY_MS);
  const meaning = polled.dataKey === metric ? polled.data : undefined;
  const [edited, setEdited] = useState<Partial<MeaningFields>>({});
  const [sent, setSent] = useState<Partial<MeaningFields>>();
  const [refusal, setRefusal] = useState('');
  const isSeen = sent !== undefined && meaning !== undefined && shows(meaning, sent);
  useEffect(() => {
    if (isSeen) setEdited({});
  }, [isSeen]);

  const state = async (change: Partial<MeaningFields>): Promise<void> => {
    setRefusal('');
    setSent(undefined);
    try {
      await client.stateMeaning(metric, change);
      setSent(change);
    } catch (error) {
      setRefusal(error instanceof ApiError ? error.message : String(error));
    }
  };
  const edit = (change: Partial<MeaningFields>): void => {
    setSent(undefined);
    setEdited({ ...edited, ...change });
  };
  const save = (event: FormEvent): void => {
    event.preventDefault();
    if (meaning !== undefined) state(changesOf(meaning, edited));
  };
  const hasChanges = meaning !== undefined && Object.keys(changesOf(meaning, edited)).length > 0;

  return (
    <form className="meaning" aria-label={`Meaning of ${printable(metric)}`} onSubmit={save}>
      <header className="meaning-state">
        <h2>{printable(metric)}</h2>
        <span className="hint">what its values mean, for all of its history</span>
        <span className="spring" />
        <button type="button" onClick={onClose}>
          Close
        </button>
      </header>
      {meaning === undefined ? (
        <p className="hint">{polled.error?.message ?? 'loading…'}</p>
      ) : (
        <>
          <div className="meaning-fields">
            <Fields meaning={meaning} edited={edited} onEdit={edit} onState={state} />
          </div>
          <p className="meaning-state">
            <button type="submit" className="primary" disabled={!hasChanges || sent !== undefined}>
              Save
            </button>
            <span role="status" className={refusal === '' ? 'hint' : 'field-error'}>
              {refusal !== '' ? refusal : sent === undefined ? '' : isSeen ? 'saved' : 'saved; not in answers yet'}
            </span>
          </p>
        </>
      )}
    </form>
  );
}

interface FieldsProps {
  readonly meaning: MetricMeaning;
  readonly edited: Partial<MeaningFields>;
  readonly onEdit: (change: Partial<MeaningFields>) => void;
  /** States at once, without Save. */
  readonly onState: (change: Partial<MeaningFields>) => void;
}

function Fields({ meaning, edited, onEdit, onState }: FieldsProps) {
  const { fields } = meaning;
  const type = edited.type ?? fields.type;
  const isOther = type !== '' && !STATED_TYPES.some((one) => one === type);
  const text = (field: MeaningField, placeholder: string): ReactNode => (
    <input
      type="text"
      aria-label={NAMES[field]}
      autoComplete="off"
      inputMode={field === 'interval' ? 'decimal' : undefined}
      placeholder={placeholder}
      value={edited[field] ?? fields[field]}
      onChange={(event) => onEdit({ [field]: event.target.value })}
    />
  );
  const row = (field: MeaningField, input: ReactNode): ReactNode => (
    <MeaningRow field={field} meaning={meaning} onState={onState}>
      {input}
    </MeaningRow>
  );
  return (
    <>
      {row(
        'type',
        <select aria-label={NAMES.type} value={type} onChange={(event) => onEdit({ type: event.target.value })}>
          {fields.type === '' && <option value="">not known</option>}
          {isOther && <option>{type}</option>}
          {STATED_TYPES.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>,
      )}
      {row('unit', text('unit', 'byte, second, request'))}
      {row('description', text('description', 'what is measured'))}
      {row('interval', text('interval', 'seconds between two points of a series'))}
    </>
  );
}

const NAMES: Readonly<Record<MeaningField, string>> = {
  type: 'Kind',
  unit: 'Unit',
  description: 'Description',
  interval: 'Interval, s',
};

interface MeaningRowProps {
  readonly field: MeaningField;
  readonly meaning: MetricMeaning;
  readonly onState: (change: Partial<MeaningFields>) => void;
  readonly children: ReactNode;
}

/** A field with its source. A user's statement can be taken back, and a guess be confirmed. */
function MeaningRow({ field, meaning: { fields, sources }, onState, children }: MeaningRowProps) {
  const source = sources[field];
  const name = NAMES[field].toLowerCase();
  return (
    <>
      <span className="field-label" aria-hidden="true">
        {NAMES[field]}
      </span>
      {children}
      <span className="hint">{SOURCES[source] ?? printable(source)}</span>
      <span>
        {source === 'user' && (
          <button type="button" aria-label={`take back the ${name}`} onClick={() => onState({ [field]: '' })}>
            Take back
          </button>
        )}
        {source === 'name' && (
          <button type="button" aria-label={`confirm the ${name}`} onClick={() => onState({ [field]: fields[field] })}>
            Confirm
          </button>
        )}
      </span>
    </>
  );
}
