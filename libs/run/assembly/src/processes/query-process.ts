import type { ControlFollower } from '@tidemark/control-log';
import { watchControl } from '@tidemark/health';
import { sessionStatus } from '@tidemark/intake';
import type { QueryReader } from '@tidemark/query';
import { assembleAccess } from '../parts/assemble-access.ts';
import { assembleQuery, pendingReader, registerQuery } from '../parts/assemble-query.ts';
import { Pending } from '../parts/pending.ts';
import { openClusterLog } from './cluster-log.ts';
import { firstMap, followControl } from './follow-control.ts';
import { IntakeNetwork } from './intake-network.ts';
import type { Service, ServiceContext } from './service-context.ts';
import { type HostedService, ServiceHost } from './service-host.ts';
import { StoreNetwork } from './store-network.ts';

/** Starts a query service: the HTTP API, the page and gRPC, over the replicas that the settings name. */
export async function startQuery(context: ServiceContext): Promise<Service> {
  const { settings, clock, pageFolder } = context;
  const pendingControl = new Pending<ControlFollower>('the query service');
  const pending = new Pending<QueryReader>('the query service');
  const access = assembleAccess(() => pendingControl.part.state, settings);
  const service = pendingReader(pending);
  const hosted: HostedService = {
    isForPeers: false,
    access,
    http: { service, access, pageFolder },
    register: (server) => registerQuery(server, service, access, settings, clock),
  };
  return ServiceHost.start(context, hosted, async (host) => {
    const log = await openClusterLog(host, context);
    const control = await followControl(host, context, log);
    pendingControl.set(control);
    const { state } = control;
    const { partitions } = await firstMap(host, context, control);
    const network = new StoreNetwork(context, host.peers);
    host.add(() => network.close());
    network.points.requireOwners(partitions, 'cluster.pointStores');
    network.tags.requireOwners(partitions, 'cluster.tagStores');
    await network.stores.start();
    const intakes = new IntakeNetwork(context, host.peers);
    host.add(async () => intakes.close());
    const ports = { stores: network.stores, state, followsMaps: true, clock, health: host.health };
    pending.set(
      assembleQuery(
        { ...ports, sessions: async (tenant, signal) => sessionStatus(state, await intakes.reports(tenant, signal)) },
        settings,
      ),
    );
    watchControl(host.health, control);
    host.setReadiness(() => control.problem);
  });
}
