import { Access } from '@tidemark/access';
import { IntakeService } from '@tidemark/contract';
import { intakeNotReady, watchControl, watchIntake } from '@tidemark/health';
import { httpIntake } from '@tidemark/http-intake';
import { IntakeRunner, intakeService, ownSessionStatus, RequestIntake, sessionClock } from '@tidemark/intake';
import { openClusterLog } from './cluster-log.ts';
import { firstMap, followControl } from './follow-control.ts';
import { knownSeries } from './known-series.ts';
import { Late } from './late.ts';
import type { Service, ServiceContext } from './service-context.ts';
import { type HostedService, ServiceHost } from './service-host.ts';
import { StoreNetwork } from './store-network.ts';

/** An intake: takes points over gRPC and HTTP into the log. It has no state; any number of them may run. */
export async function startIntake(context: ServiceContext): Promise<Service> {
  const { settings, clock, random, events, name } = context;
  const access = new Late<Access>('the intake');
  const late = new Late<IntakeRunner>('the intake');
  const session = () => (late.isThere ? late.part.session : undefined);
  const door = { tenantOf: (...asked: Parameters<Access['tenantOf']>) => access.part.tenantOf(...asked) };
  const requests = new RequestIntake({ session, clock, random, limits: settings.requests });
  const hosted: HostedService = {
    isForPeers: false,
    access: door,
    clients: () => (late.isThere ? late.part.clients.list() : []),
    sessionOf: (tenant) => ownSessionStatus(late.part.control.state, session(), tenant),
    http: {
      access: door,
      routes: (app, { tenantOf }) => {
        const { requests: limits, remoteWrite, datadog } = settings;
        httpIntake(app, { intake: requests, tenantOf, random, limits, remoteWrite, datadog });
      },
    },
    onTooLarge: (path) => {
      if (path === IntakeService.send.path) session()?.violations.count(undefined, 'message_too_large');
    },
    register: (server) => {
      server.addService(IntakeService, intakeService({ session, access: door }));
    },
  };
  return ServiceHost.start(context, hosted, async (host) => {
    const log = await openClusterLog(host, context);
    const control = await followControl(host, context, log);
    access.set(new Access(control.state, { loopbackNeedsKey: settings.listen.loopbackNeedsKey }));
    await firstMap(host, context, control);
    const network = new StoreNetwork(context, host.peers);
    host.add(() => network.close());
    const runner = new IntakeRunner(
      {
        ...{ log, control, clock, random },
        acceptClock: () => sessionClock(clock),
        process: name,
        limits: { ...settings.intake, ...settings.point },
        timing: settings.lane,
        knownSeries: (partition, tenant, ids) => {
          return knownSeries(network.tagReplicas(partition), clock, { partition, tenant, ids });
        },
      },
      events,
    );
    await runner.start();
    late.set(runner);
    host.add(() => runner.stop());
    watchIntake(host.health, runner);
    watchControl(host.health, control);
    host.readiness = () => intakeNotReady(runner);
  });
}
