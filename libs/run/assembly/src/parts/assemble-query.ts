import type { Server } from '@grpc/grpc-js';
import type { Access } from '@tidemark/access';
import { QueryService as QueryContract } from '@tidemark/contract';
import type { ControlState } from '@tidemark/control-log';
import type { ProcessHealth } from '@tidemark/health';
import { yieldTurn } from '@tidemark/node-runtime';
import type { Clock } from '@tidemark/ports';
import { type QueryReader, QueryService, type QueryServiceOptions, queryService } from '@tidemark/query';
import { withRequestLimit } from '@tidemark/rpc';
import type { Settings } from '@tidemark/settings';
import type { QueryStores } from '@tidemark/store-rpc';
import type { Pending } from './pending.ts';

export interface QueryPorts {
  readonly stores: QueryStores;
  /** The state that this process has read from `control`. */
  readonly state: ControlState;
  /** Another process decides maps: answers are complete at most through the time that `state` was read through. */
  readonly followsMaps: boolean;
  readonly clock: Clock;
  readonly sessions: NonNullable<QueryServiceOptions['sessions']>;
  /** Of this process; the memory of queries becomes a part of it. */
  readonly health: Pick<ProcessHealth, 'threads' | 'memory' | 'watchMemory'>;
}

/** Creates the query service of a process. */
export function assembleQuery(ports: QueryPorts, settings: Settings): QueryService {
  const { stores, state, followsMaps, clock, sessions, health } = ports;
  const service = new QueryService({
    ...{ stores, clock, sessions },
    threads: () => health.threads,
    memory: () => health.memory,
    maps: () => [...state.maps.values()],
    ...(followsMaps ? { mapsThroughMs: () => Math.floor(state.mapsThroughMs) } : {}),
    eras: () => state.eras,
    latenessMs: () => settings.completeness.latenessMs,
    limits: settings.query,
    slicing: { clock, yieldTurn },
  });
  health.watchMemory(() => [
    {
      holder: 'queries',
      parts: [
        { part: 'answers', bytes: service.memoryBytes },
        { part: 'known_matches', bytes: service.rememberedBytes },
      ],
    },
  ]);
  return service;
}

/** Adds the gRPC service of queries to a server. */
export function registerQuery(
  server: Server,
  reader: QueryReader,
  access: Pick<Access, 'tenantOf'>,
  { query: { requestBytes } }: Settings,
  clock: Clock,
): void {
  server.addService(withRequestLimit(QueryContract, requestBytes), queryService(reader, access, clock));
}

/** A reader for servers that listen before the query service exists: until then each call rejects as `unavailable`. */
export function pendingReader(service: Pending<QueryReader>): QueryReader {
  return {
    run: async (...asked) => service.part.run(...asked),
    runFormulas: async (...asked) => service.part.runFormulas(...asked),
    metrics: async (...asked) => service.part.metrics(...asked),
    metric: async (...asked) => service.part.metric(...asked),
    tags: async (...asked) => service.part.tags(...asked),
    status: async (...asked) => service.part.status(...asked),
  };
}
