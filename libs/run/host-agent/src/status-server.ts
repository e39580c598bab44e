import { isLoopbackAddress, refuseAll } from '@tidemark/access';
import type { AgentStatus } from '@tidemark/agent';
import { httpApi } from '@tidemark/http-api';
import { type Clock, TidemarkError } from '@tidemark/ports';
import { HttpServer } from '@tidemark/server';

export interface StatusServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly clock: Clock;
  readonly status: () => AgentStatus;
  /** Called when the IPv6 loopback address cannot be opened. */
  readonly onProblem?: (message: string) => void;
}

/** An agent has no keys, and nothing that belongs to a tenant. */
const NO_TENANTS = refuseAll('not available on an agent');

/**
 * Serves `/status` to callers of this host, and `/healthz` and `/readyz` to all. Error: `unavailable` when the port is
 * in use.
 */
export function serveStatus({ host, port, clock, status, onProblem }: StatusServerOptions): Promise<HttpServer> {
  const app = httpApi({
    access: NO_TENANTS,
    clock,
    notReady: () => (status().running ? undefined : 'the agent is not running'),
    routes: (scope) => {
      scope.get('/status', async ({ socket }) => {
        if (isLoopbackAddress(socket.remoteAddress ?? '')) return status();
        throw new TidemarkError('permission_denied', 'the status is available only to callers on this host');
      });
    },
  });
  return HttpServer.listen(app, host, port, clock, onProblem);
}
