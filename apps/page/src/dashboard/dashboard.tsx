import { useServices } from '../services.ts';
import { betweenRange, type TimeRange } from '../time-range.ts';
import { NoMetricYet, Notice } from '../ui/notices.tsx';
import { RangePicker } from '../ui/range-picker.tsx';
import { usePolling } from '../use-polling.ts';
import { HOST_PANELS } from './host-panels.ts';
import { Panel } from './panel.tsx';

/** A metric that every host's agent sends. */
const HOST_METRIC = 'system.load.1';
const HOSTS_EVERY_MS = 30_000;
const FIRST_METRIC_EVERY_MS = 2_000;

export interface DashboardProps {
  readonly range: TimeRange;
  readonly host: string;
  readonly onChange: (change: { readonly range?: TimeRange; readonly host?: string }) => void;
}

/** The first view: the state of this machine, or of each host that sends metrics. */
export function Dashboard({ range, host, onChange }: DashboardProps) {
  const { client, clock } = useServices();
  const first = usePolling((signal) => client.metrics('', signal), 'any metric', FIRST_METRIC_EVERY_MS);
  const hosts = usePolling((signal) => client.tags(HOST_METRIC, signal), 'hosts', HOSTS_EVERY_MS);
  const names = hosts.data?.find(({ key }) => key === 'host')?.top.map(({ value }) => value) ?? [];
  const hasNoMetric = first.data?.metrics.length === 0;
  const hasNoHost = !hasNoMetric && first.data?.metrics.every(({ metric }) => !metric.startsWith('system.')) === true;
  const zoom = (fromMs: number, toMs: number): void => {
    const chosen = betweenRange(fromMs, toMs);
    if (chosen !== undefined) onChange({ range: chosen });
  };

  return (
    <main className="page">
      <div className="toolbar">
        <h1>{host !== '' ? host : names.length === 1 ? names[0] : 'Hosts'}</h1>
        {names.length > 1 && (
          <select aria-label="Host" value={host} onChange={(event) => onChange({ host: event.target.value })}>
            <option value="">all {names.length} hosts, averaged</option>
            {names.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
        <span className="spring" />
        {range.type === 'between' && (
          <button type="button" onClick={() => onChange({ range: { type: 'last', seconds: 300 } })}>
            Back to live
          </button>
        )}
        <RangePicker range={range} nowMs={clock.nowMs()} onChange={(chosen) => onChange({ range: chosen })} />
      </div>
      {hasNoMetric && <NoMetricYet />}
      {hasNoHost && (
        <Notice level="info">
          No host metrics yet: the host checks of an agent send them. See other metrics in the{' '}
          <a href="#/explore">explorer</a>.
        </Notice>
      )}
      {!hasNoMetric && (
        <div className="panels">
          {HOST_PANELS.map((panel) => (
            <Panel key={panel.title} panel={panel} host={host} range={range} onZoom={zoom} />
          ))}
        </div>
      )}
    </main>
  );
}
