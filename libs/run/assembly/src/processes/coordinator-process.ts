import { ControlService } from '@tidemark/contract';
import { type ControlServiceOptions, controlService } from '@tidemark/coordinator';
import { watchControl } from '@tidemark/health';
import { assembleAccess } from '../parts/assemble-access.ts';
import { assembleCoordinator } from '../parts/assemble-coordinator.ts';
import { Pending } from '../parts/pending.ts';
import { openClusterLog, prepareClusterTopics } from './cluster-log.ts';
import { followControl } from './follow-control.ts';
import { ReplicaTrimmer } from './replica-trimmer.ts';
import type { Service, ServiceContext } from './service-context.ts';
import { type HostedService, ServiceHost } from './service-host.ts';
import { StoreNetwork } from './store-network.ts';

/**
 * Starts the coordinator, which creates the topics, makes the cluster-wide decisions and trims the log below every
 * consumer's commit.
 */
export async function startCoordinator(context: ServiceContext): Promise<Service> {
  const { settings, clock, random, name, events } = context;
  const pending = new Pending<Omit<ControlServiceOptions, 'access'>>('the coordinator');
  const access = assembleAccess(() => pending.part.control.state, settings);
  const hosted: HostedService = {
    isForPeers: false,
    access,
    register: (server) => {
      server.addService(
        ControlService,
        controlService(() => ({ ...pending.part, access })),
      );
    },
  };
  return ServiceHost.start(context, hosted, async (host) => {
    const { health } = host;
    await prepareClusterTopics(host, context);
    const log = await openClusterLog(host, context);
    const control = await followControl(host, context, log);
    const network = new StoreNetwork(context, host.peers);
    host.add(() => network.close());
    await network.stores.start();
    const { partitions } = settings.data;
    network.points.requireOwners(partitions, 'cluster.pointStores');
    network.tags.requireOwners(partitions, 'cluster.tagStores');
    const countPartition = network.seriesCounts.bind(network);
    const storePositions = network.storePositions.bind(network);
    const ports = { log, control, clock, random, name, countPartition, storePositions, health, started: host };
    const coordinator = await assembleCoordinator({ ...ports, isAlone: false }, settings);
    const trimmer = new ReplicaTrimmer({ log, clock, events, consumers: network.consumers });
    trimmer.start();
    host.add(() => trimmer.stop());
    pending.set({ coordinator, control, stores: network.controlled });
    watchControl(health, control);
    health.watch('trim', () => {
      const { problem } = trimmer;
      return problem === undefined ? undefined : { code: 'unavailable', message: problem };
    });
    host.setReadiness(() => coordinator.problem);
  });
}
