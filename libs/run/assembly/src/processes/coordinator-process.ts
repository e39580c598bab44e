import { Access } from '@tidemark/access';
import { ControlService } from '@tidemark/contract';
import { type ControlServiceOptions, Coordinator, controlService, countSeries } from '@tidemark/coordinator';
import { watchControl, watchCoordinator } from '@tidemark/health';
import { dayOf } from '@tidemark/model';
import { openClusterLog, prepareClusterTopics } from './cluster-log.ts';
import { followControl } from './follow-control.ts';
import { Late } from './late.ts';
import { ReplicaTrimmer } from './replica-trimmer.ts';
import type { Service, ServiceContext } from './service-context.ts';
import { type HostedService, ServiceHost } from './service-host.ts';
import { StoreNetwork } from './store-network.ts';

/** The coordinator: makes the topics, decides what one must decide, lets go of what every consumer has. */
export async function startCoordinator(context: ServiceContext): Promise<Service> {
  const { settings, clock, random, name, events } = context;
  const late = new Late<ControlServiceOptions>('the coordinator');
  const hosted: HostedService = {
    isForPeers: false,
    access: { tenantOf: (...asked) => late.part.access.tenantOf(...asked) },
    register: (server) => {
      server.addService(
        ControlService,
        controlService(() => late.part),
      );
    },
  };
  return ServiceHost.start(context, hosted, async (host) => {
    await prepareClusterTopics(host, context);
    const log = await openClusterLog(host, context);
    const control = await followControl(host, context, log);
    const network = new StoreNetwork(context, host.peers);
    host.add(() => network.close());
    await network.stores.start();
    const { partitions } = settings.data;
    network.points.requireOwners(partitions, 'cluster.pointStores');
    network.tags.requireOwners(partitions, 'cluster.tagStores');
    const coordinator = new Coordinator({
      ...{ log, control, clock, random, partitions },
      process: name,
      tenantSeries: settings.budgets.tenantSeries,
      metricSeries: settings.budgets.metricSeries,
      seriesCounts: () => {
        const count = control.state.map?.partitions ?? 0;
        const sinceDay = dayOf(clock.wallMs()) - 1;
        return countSeries(count, (request) => network.seriesCounts(request), settings.budgets.metricSeries, sinceDay);
      },
      isAlone: false,
    });
    await coordinator.start();
    host.add(() => coordinator.stop());
    const trimmer = new ReplicaTrimmer({ log, clock, events, consumers: network.consumers });
    trimmer.start();
    host.add(() => trimmer.stop());
    const access = new Access(control.state, { loopbackNeedsKey: settings.listen.loopbackNeedsKey });
    late.set({ coordinator, control, access, stores: network.controlled });
    watchControl(host.health, control);
    watchCoordinator(host.health, coordinator, control);
    host.health.watch('trim', () => {
      const { problem } = trimmer;
      return problem === undefined ? undefined : { code: 'unavailable', message: problem };
    });
    host.readiness = () => coordinator.problem;
  });
}
