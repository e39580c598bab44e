import * as z from 'zod';
import { AGENT, INTEGRATIONS, SCRAPE } from './groups/agent.ts';
import { CLUSTER, TLS } from './groups/cluster.ts';
import { DATADOG } from './groups/datadog.ts';
import { DOGSTATSD, STATSD } from './groups/dogstatsd.ts';
import { INTAKE, LANE, POINT } from './groups/intake.ts';
import { KAFKA } from './groups/kafka.ts';
import { ARCHIVE, OBJECTS, SNAPSHOT } from './groups/objects.ts';
import { BUDGETS, COMPLETENESS, DATA, EVENTS, GRPC, HTTP, LISTEN } from './groups/process.ts';
import { REMOTE_WRITE, REQUESTS } from './groups/requests.ts';
import { LOG, QUERY, STORE } from './groups/storage.ts';

/** Every setting, in groups; the titles are the headings of the reference. */
export const GROUPS = {
  data: { title: 'Data', schema: DATA },
  listen: { title: 'Listening', schema: LISTEN },
  http: { title: 'HTTP', schema: HTTP },
  grpc: { title: 'gRPC', schema: GRPC },
  agent: { title: 'The agent', schema: AGENT },
  dogstatsd: { title: 'DogStatsD', schema: DOGSTATSD },
  statsd: { title: 'StatsD', schema: STATSD },
  scrape: { title: 'Scraping', schema: SCRAPE },
  integrations: { title: 'Integrations', schema: INTEGRATIONS },
  events: { title: "The process's own log", schema: EVENTS },
  completeness: { title: 'Completeness', schema: COMPLETENESS },
  budgets: { title: 'Budgets', schema: BUDGETS },
  point: { title: 'Points', schema: POINT },
  intake: { title: 'Intake', schema: INTAKE },
  lane: { title: 'Lanes', schema: LANE },
  requests: { title: 'Points in HTTP requests', schema: REQUESTS },
  remoteWrite: { title: 'Prometheus remote write', schema: REMOTE_WRITE },
  datadog: { title: "Metrics of Datadog's agents and clients", schema: DATADOG },
  log: { title: 'Embedded log', schema: LOG },
  store: { title: 'Stores', schema: STORE },
  query: { title: 'Queries', schema: QUERY },
  objects: { title: 'Object store', schema: OBJECTS },
  snapshot: { title: 'Snapshots', schema: SNAPSHOT },
  archive: { title: 'Archived days', schema: ARCHIVE },
  kafka: { title: 'Kafka', schema: KAFKA },
  cluster: { title: 'Processes of a cluster', schema: CLUSTER },
  tls: { title: 'TLS', schema: TLS },
} as const;

export const SETTINGS_SCHEMA = z.strictObject({
  data: DATA.prefault({}),
  listen: LISTEN.prefault({}),
  http: HTTP.prefault({}),
  grpc: GRPC.prefault({}),
  agent: AGENT.prefault({}),
  dogstatsd: DOGSTATSD.prefault({}),
  statsd: STATSD.prefault({}),
  scrape: SCRAPE.prefault({}),
  integrations: INTEGRATIONS.prefault({}),
  events: EVENTS.prefault({}),
  completeness: COMPLETENESS.prefault({}),
  budgets: BUDGETS.prefault({}),
  point: POINT.prefault({}),
  intake: INTAKE.prefault({}),
  lane: LANE.prefault({}),
  requests: REQUESTS.prefault({}),
  remoteWrite: REMOTE_WRITE.prefault({}),
  datadog: DATADOG.prefault({}),
  log: LOG.prefault({}),
  store: STORE.prefault({}),
  query: QUERY.prefault({}),
  objects: OBJECTS.prefault({}),
  snapshot: SNAPSHOT.prefault({}),
  archive: ARCHIVE.prefault({}),
  kafka: KAFKA.prefault({}),
  cluster: CLUSTER.prefault({}),
  tls: TLS.prefault({}),
});

/** All settings of a process, checked, with defaults filled in. */
export type Settings = z.output<typeof SETTINGS_SCHEMA>;
