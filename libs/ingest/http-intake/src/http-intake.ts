import type { DatadogLimits } from '@tidemark/datadog-payload';
import type { Clock, Random } from '@tidemark/ports';
import type { RemoteWriteLimits } from '@tidemark/remote-write';
import type { FastifyInstance } from 'fastify';
import { BodyRoom, type BodyRoomLimits } from './body-room.ts';
import { type DatadogRoutesOptions, datadogRoutes } from './datadog-routes.ts';
import { type MetricRouteOptions, metricRoute } from './metric-route.ts';
import { remoteWriteRoute } from './remote-write-route.ts';
import type { TenantOf } from './tenant-of.ts';
import type { Pause } from './turns.ts';

export interface HttpIntakeOptions {
  readonly intake: DatadogRoutesOptions['intake'] & MetricRouteOptions['intake'];
  readonly tenantOf: TenantOf;
  readonly acceptsAnyKey?: DatadogRoutesOptions['acceptsAnyKey'];
  readonly random: Random;
  readonly clock: Pick<Clock, 'wallMs'>;
  /** Resolves after all other waiting work of this thread had its turn. */
  readonly yieldTurn: Pause;
  /** Limits that differ from the defaults, for all protocols together and for each. */
  readonly limits?: Partial<BodyRoomLimits>;
  readonly datadog?: Partial<DatadogLimits>;
  readonly remoteWrite?: Partial<RemoteWriteLimits>;
}

/** Registers the protocols that send points over HTTP, each in its own scope, with one limit for all bodies. */
export function httpIntake(app: FastifyInstance, options: HttpIntakeOptions): void {
  const { intake, tenantOf, acceptsAnyKey, random, clock, yieldTurn, limits, datadog, remoteWrite } = options;
  const room = new BodyRoom(limits, yieldTurn);
  app.register(async (scope) =>
    datadogRoutes(scope, { intake, tenantOf, acceptsAnyKey, room, random, clock, limits: datadog }),
  );
  app.register(async (scope) => metricRoute(scope, { intake, tenantOf }));
  app.register(async (scope) =>
    remoteWriteRoute(scope, { intake, tenantOf, room, random, yieldTurn, limits: remoteWrite }),
  );
}
