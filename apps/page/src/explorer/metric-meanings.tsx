import { printable } from '@tidemark/model/safe-text';
import { metricsIn } from '@tidemark/query-language/completion';
import { useState } from 'react';
import { MeaningForm } from './meaning-form.tsx';

/** A button for each metric of the query, which opens the form of its meaning. */
export function MetricMeanings({ query }: { readonly query: string }) {
  const [opened, setOpened] = useState('');
  const metrics = metricsIn(query);
  if (metrics.length === 0) return null;
  const isOpen = metrics.includes(opened);
  return (
    <>
      <p className="meaning-buttons">
        <span className="field-label">About</span>
        {metrics.map((metric) => (
          <button
            key={metric}
            type="button"
            aria-label={`about ${printable(metric)}`}
            aria-expanded={isOpen && metric === opened}
            onClick={() => setOpened(metric === opened ? '' : metric)}
          >
            {printable(metric)}
          </button>
        ))}
      </p>
      {isOpen && <MeaningForm key={opened} metric={opened} onClose={() => setOpened('')} />}
    </>
  );
}
