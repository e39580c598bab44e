import type { DatadogLimits } from '@tidemark/datadog-payload';
import type { Random } from '@tidemark/ports';
import type { RemoteWriteLimits } from '@tidemark/remote-write';
import type { FastifyInstance } from 'fastify';
import { BodyRoom, type BodyRoomLimits } from './body-room.ts';
import { type DatadogRoutesOptions, datadogRoutes } from './datadog-routes.ts';
import { remoteWriteRoute } from './remote-write-route.ts';
import type { TenantOf } from './tenant-of.ts';

export interface HttpIntakeOptions {
  readonly intake: DatadogRoutesOptions['intake'];
  readonly tenantOf: TenantOf;
  readonly random: Random;
  /** Bounds that differ from the defaults, of all protocols together and of each. */
  readonly limits?: Partial<BodyRoomLimits>;
  readonly datadog?: Partial<DatadogLimits>;
  readonly remoteWrite?: Partial<RemoteWriteLimits>;
}

/** Routes of the protocols that send points over HTTP, each in a scope of its own, with one bound on their bodies. */
export function httpIntake(app: FastifyInstance, options: HttpIntakeOptions): void {
  const { intake, tenantOf, random, limits, datadog, remoteWrite } = options;
  const room = new BodyRoom(limits);
  app.register(async (scope) => datadogRoutes(scope, { intake, tenantOf, room, random, limits: datadog }));
  app.register(async (scope) => remoteWriteRoute(scope, { intake, tenantOf, room, random, limits: remoteWrite }));
}
