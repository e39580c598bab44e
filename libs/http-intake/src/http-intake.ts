import type { Scope } from '@tidemark/control';
import type { DatadogLimits } from '@tidemark/datadog-intake';
import type { RequestIntake } from '@tidemark/intake';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { BodyRoom, type BodyRoomLimits } from './body-room.ts';
import { datadogRoutes } from './datadog-routes.ts';

/**
 * The tenant that a request acts for, by the key in its headers, else by `otherKey`, where a protocol has one elsewhere;
 * throws `unauthenticated` or `permission_denied`.
 */
export type TenantOf = (request: FastifyRequest, scope: Scope, otherKey?: string) => string;

export interface HttpIntakeOptions {
  readonly intake: Pick<RequestIntake, 'open'>;
  readonly tenantOf: TenantOf;
  readonly limits?: Partial<BodyRoomLimits>;
  readonly datadog?: Partial<DatadogLimits>;
}

/** Routes of the protocols that send points over HTTP, each in a scope of its own, with one bound on their bodies. */
export function httpIntake(app: FastifyInstance, { intake, tenantOf, limits, datadog }: HttpIntakeOptions): void {
  const room = new BodyRoom(limits);
  app.register(async (scope) => datadogRoutes(scope, { intake, tenantOf, room, limits: datadog }));
}
