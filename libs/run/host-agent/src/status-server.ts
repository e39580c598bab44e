import type { AgentStatus } from '@tidemark/agent';
import { isLoopbackAddress } from '@tidemark/control-log';
import { httpApi } from '@tidemark/http-api';
import { type Clock, TidemarkError } from '@tidemark/ports';
import { HttpServer } from '@tidemark/server';

export interface StatusServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly clock: Clock;
  readonly status: () => AgentStatus;
}

/** There are no keys here: an agent has nothing that a tenant could ask for. */
const NOBODY = {
  tenantOf: () => {
    throw new TidemarkError('unauthenticated', 'an agent answers no such questions');
  },
};

/**
 * Serves `/status` to callers of this host, and `/healthz` and `/readyz` to all. Error: `unavailable` when the port is
 * taken.
 */
export function serveStatus({ host, port, clock, status }: StatusServerOptions): Promise<HttpServer> {
  const app = httpApi({
    access: NOBODY,
    clock,
    notReady: () => (status().running ? undefined : 'the agent does not run'),
    routes: (scope) => {
      scope.get('/status', async ({ socket }) => {
        if (isLoopbackAddress(socket.remoteAddress ?? '')) return status();
        throw new TidemarkError('permission_denied', 'the status is for callers on this host');
      });
    },
  });
  return HttpServer.listen(app, host, port, clock);
}
