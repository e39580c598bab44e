import { Access } from '@tidemark/access';
import { QueryService as QueryContract } from '@tidemark/contract';
import { watchControl } from '@tidemark/health';
import { sessionStatus } from '@tidemark/intake';
import { type QueryReader, QueryService, queryService } from '@tidemark/query';
import { openClusterLog } from './cluster-log.ts';
import { firstMap, followControl } from './follow-control.ts';
import { IntakeNetwork } from './intake-network.ts';
import { Late } from './late.ts';
import type { Service, ServiceContext } from './service-context.ts';
import { type HostedService, ServiceHost } from './service-host.ts';
import { StoreNetwork } from './store-network.ts';

/** A query service: the HTTP API, the page and gRPC, over whatever replicas the settings name. */
export async function startQuery(context: ServiceContext): Promise<Service> {
  const { settings, clock, pageFolder } = context;
  const access = new Late<Access>('the query service');
  const late = new Late<QueryService>('the query service');
  const door = { tenantOf: (...asked: Parameters<Access['tenantOf']>) => access.part.tenantOf(...asked) };
  const reader: QueryReader = {
    run: async (...asked) => late.part.run(...asked),
    metrics: async (...asked) => late.part.metrics(...asked),
    tags: async (...asked) => late.part.tags(...asked),
    status: async (...asked) => late.part.status(...asked),
  };
  const hosted: HostedService = {
    isForPeers: false,
    access: door,
    http: { service: reader, access: door, pageFolder },
    register: (server) => server.addService(QueryContract, queryService(reader, door)),
  };
  return ServiceHost.start(context, hosted, async (host) => {
    const log = await openClusterLog(host, context);
    const control = await followControl(host, context, log);
    access.set(new Access(control.state, { loopbackNeedsKey: settings.listen.loopbackNeedsKey }));
    const { partitions } = await firstMap(host, context, control);
    const network = new StoreNetwork(context, host.peers);
    host.add(() => network.close());
    network.points.requireOwners(partitions, 'cluster.pointStores');
    network.tags.requireOwners(partitions, 'cluster.tagStores');
    await network.stores.start();
    const intakes = new IntakeNetwork(context, host.peers);
    host.add(async () => intakes.close());
    const service = new QueryService({
      stores: network.stores,
      maps: () => [...control.state.maps.values()],
      mapsThroughMs: () => Math.floor(control.state.mapsThroughMs),
      latenessMs: () => settings.completeness.latenessMs,
      clock,
      sessions: async (tenant, signal) => sessionStatus(control.state, await intakes.told(tenant, signal)),
      limits: settings.query,
    });
    late.set(service);
    watchControl(host.health, control);
    host.readiness = () => control.problem;
  });
}
