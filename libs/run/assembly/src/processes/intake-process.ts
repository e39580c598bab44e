import type { ControlFollower } from '@tidemark/control-log';
import { intakeNotReady, watchControl } from '@tidemark/health';
import { type IntakeRunner, ownSessionStatus } from '@tidemark/intake';
import { assembleAccess } from '../parts/assemble-access.ts';
import { assembleIntake, intakeEndpoints } from '../parts/assemble-intake.ts';
import { Pending } from '../parts/pending.ts';
import { openClusterLog } from './cluster-log.ts';
import { findKnownSeries } from './find-known-series.ts';
import { firstMap, followControl } from './follow-control.ts';
import type { Service, ServiceContext } from './service-context.ts';
import { type HostedService, ServiceHost } from './service-host.ts';
import { StoreNetwork } from './store-network.ts';

/** Starts an intake, which accepts points over gRPC and HTTP into the log. It has no state; any number may run. */
export async function startIntake(context: ServiceContext): Promise<Service> {
  const { settings, clock, random, events, name } = context;
  const pendingControl = new Pending<ControlFollower>('the intake');
  const pending = new Pending<IntakeRunner>('the intake');
  const session = () => pending.ifSet?.session;
  const access = assembleAccess(() => pendingControl.part.state, settings);
  const { register, routes, onTooLarge, onNotTaken } = intakeEndpoints({ session, access, clock, random }, settings);
  const hosted: HostedService = {
    isForPeers: false,
    ...{ access, register, onTooLarge },
    clients: () => pending.ifSet?.clients.list() ?? [],
    sessionOf: (tenant) => ownSessionStatus(pending.part.control.state, session(), tenant),
    http: { access, routes, onNotTaken },
  };
  return ServiceHost.start(context, hosted, async (host) => {
    const { health } = host;
    const log = await openClusterLog(host, context);
    const control = await followControl(host, context, log);
    pendingControl.set(control);
    await firstMap(host, context, control);
    const network = new StoreNetwork(context, host.peers);
    host.add(() => network.close());
    const intake = await assembleIntake(
      {
        ...{ log, control, clock, random, events, name, health, started: host },
        recordBytes: settings.kafka.recordBytes,
        knownSeries: (partition, tenant, ids) => {
          return findKnownSeries(network.tagReplicas(partition), clock, { partition, tenant, ids });
        },
      },
      settings,
    );
    pending.set(intake);
    watchControl(health, control);
    host.setReadiness(() => intakeNotReady(intake));
  });
}
