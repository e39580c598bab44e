import type { PipelineStatus } from './api/api-types.ts';
import { DEFAULT_STYLE } from './chart/chart-style.ts';
import { Dashboard } from './dashboard/dashboard.tsx';
import { Explorer } from './explorer/explorer.tsx';
import { formatClock, formatDuration } from './format/format-time.ts';
import { DEFAULT_DASHBOARD_RANGE, DEFAULT_EXPLORE_RANGE, DEFAULT_TOP, printRoute, type Route } from './route.ts';
import { useServices } from './services.ts';
import { completenessVerdict } from './status/completeness-verdict.ts';
import { StatusPage } from './status/status-page.tsx';
import { ThemeSwitch } from './theme/theme-switch.tsx';
import { KeyPrompt } from './ui/key-prompt.tsx';
import { useNowMs } from './use-now.ts';
import { type Polled, usePolling } from './use-polling.ts';
import { useRoute } from './use-route.ts';

const STATUS_EVERY_MS = 1_000;

const VIEWS: readonly { readonly name: string; readonly route: Route }[] = [
  { name: 'Dashboard', route: { view: 'dashboard', range: DEFAULT_DASHBOARD_RANGE, host: '' } },
  {
    name: 'Explorer',
    route: { view: 'explore', range: DEFAULT_EXPLORE_RANGE, query: '', top: DEFAULT_TOP, style: DEFAULT_STYLE },
  },
  { name: 'Pipeline', route: { view: 'status' } },
];

export function App() {
  const { client, clock } = useServices();
  const [route, go] = useRoute();
  const status = usePolling(
    async (signal) => {
      const askedMs = clock.ownMs();
      const answer = await client.status(signal);
      clock.observe(answer.nowMs, askedMs);
      return answer;
    },
    'status',
    STATUS_EVERY_MS,
  );
  return (
    <>
      <header className="masthead">
        <a className="brand" href="#/">
          <img src="./mark.svg" alt="" width="22" height="22" />
          Tidemark
        </a>
        <nav aria-label="Views">
          {VIEWS.map(({ name, route: to }) => (
            <a key={name} href={printRoute(to)} aria-current={to.view === route.view ? 'page' : undefined}>
              {name}
            </a>
          ))}
        </nav>
        <span className="spring" />
        <PipelinePill polled={status} />
        <ThemeSwitch />
      </header>
      {status.error?.kind === 'denied' ? (
        <KeyPrompt reason={status.error.message} />
      ) : (
        <View {...{ route, go, status }} />
      )}
    </>
  );
}

interface ViewProps {
  readonly route: Route;
  readonly go: ReturnType<typeof useRoute>[1];
  readonly status: Polled<PipelineStatus>;
}

function View({ route, go, status }: ViewProps) {
  switch (route.view) {
    case 'dashboard':
      return <Dashboard range={route.range} host={route.host} onChange={(change) => go({ ...route, ...change })} />;
    case 'explore':
      return (
        <Explorer
          query={route.query}
          range={route.range}
          top={route.top}
          style={route.style}
          onChange={(change) => go({ ...route, ...change })}
        />
      );
    case 'status':
      return <StatusPage polled={status} />;
  }
}

/** Shows the pipeline's state on every view, with a link to the details. */
function PipelinePill({ polled: { data, failingSinceMs } }: { readonly polled: Polled<PipelineStatus> }) {
  const nowMs = useNowMs();
  if (failingSinceMs !== undefined) {
    return (
      <a className="pill is-blocked" href="#/status">
        no answer since {formatClock(failingSinceMs)}
      </a>
    );
  }
  if (data === undefined) return null;
  const { level, completeThroughMs, sentence } = completenessVerdict(data);
  const age = completeThroughMs === undefined ? undefined : formatDuration(nowMs - completeThroughMs);
  return (
    <a className={`pill is-${level}`} href="#/status" title={sentence}>
      {age === undefined ? 'completeness unknown' : `complete except the last ${age}`}
    </a>
  );
}
