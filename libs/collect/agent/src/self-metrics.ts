import type { CheckSink } from '@tidemark/checks';
import type { AgentStatus } from './status.ts';

/** The agent's own metrics, `tidemark.agent.*`: gauges, and counts of the growth since the last flush. */
export class SelfMetrics {
  readonly #totals = new Map<string, number>();

  /** Writes them to `sink`. Zero counts are left out, except for `points`: its absence would mean a dead agent. */
  report(status: AgentStatus, sink: CheckSink): void {
    for (const [source, points] of Object.entries(status.points)) {
      this.#count(sink, 'tidemark.agent.points', points, [`source:${source}`], true);
    }
    for (const [reason, dropped] of Object.entries(status.dropped)) {
      this.#count(sink, 'tidemark.agent.dropped', dropped, [`reason:${reason}`]);
    }
    const { dogstatsd } = status;
    if (dogstatsd !== undefined) {
      this.#count(sink, 'tidemark.agent.dogstatsd.values', dogstatsd.values, []);
      this.#count(sink, 'tidemark.agent.dogstatsd.events', dogstatsd.events, []);
      this.#count(sink, 'tidemark.agent.dogstatsd.service_checks', dogstatsd.serviceChecks, []);
      sink.gauge('tidemark.agent.dogstatsd.series', dogstatsd.knownSeries);
    }
    this.#servers(status.servers, sink);
    for (const check of status.checks) {
      const tags = [`check:${check.name}`];
      if (check.durationMs !== undefined) sink.gauge('tidemark.agent.check.duration_ms', check.durationMs, tags);
      this.#count(sink, 'tidemark.agent.check.failures', check.failures, tags);
      this.#count(sink, 'tidemark.agent.check.overruns', check.overruns, tags);
    }
    const { client } = status;
    sink.gauge('tidemark.agent.client.pending_points', client.pendingPoints);
    sink.gauge('tidemark.agent.client.spool_bytes', client.spoolBytes);
    sink.gauge('tidemark.agent.client.series', client.series);
    this.#count(sink, 'tidemark.agent.client.acked_points', client.ackedPoints, []);
    this.#count(sink, 'tidemark.agent.client.dropped_points', client.droppedPoints, []);
    this.#count(sink, 'tidemark.agent.client.indeterminate_points', client.indeterminatePoints, []);
    const refused = client.rejectedPoints + client.refusedPoints;
    this.#count(sink, 'tidemark.agent.client.rejected_points', refused, []);
  }

  /** Counts by transport: UDP has a server for each version of IP. */
  #servers(servers: AgentStatus['servers'], sink: CheckSink): void {
    for (const transport of new Set(servers.map((server) => server.transport))) {
      const own = servers.filter((server) => server.transport === transport);
      const total = (of: (server: AgentStatus['servers'][number]) => number): number =>
        own.reduce((sum, server) => sum + of(server), 0);
      const tags = [`transport:${transport}`];
      this.#count(
        sink,
        'tidemark.agent.dogstatsd.received',
        total((server) => server.received),
        tags,
      );
      this.#count(
        sink,
        'tidemark.agent.dogstatsd.received_bytes',
        total((server) => server.receivedBytes),
        tags,
      );
      this.#count(
        sink,
        'tidemark.agent.dogstatsd.dropped_by_os',
        total((server) => server.droppedByOs ?? 0),
        tags,
      );
    }
  }

  #count(sink: CheckSink, metric: string, total: number, tags: readonly string[], evenZero = false): void {
    const key = `${metric} ${tags.join(' ')}`;
    const delta = total - (this.#totals.get(key) ?? 0);
    this.#totals.set(key, total);
    if (delta > 0 || (evenZero && delta === 0)) sink.count(metric, delta, tags);
  }
}
