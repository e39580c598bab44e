import { type Metadata, ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';
import { secretCheck } from '@tidemark/access';

const HEALTH = '/grpc.health.v1.Health/';

/**
 * Admits only processes of the cluster: callers with the cluster's key or, when there is no key, callers that
 * `isTrusted` accepts by their address (loopback). Health checks are answered for every caller.
 */
export function peersOnly(key: string | undefined, isTrusted: (peer: string) => boolean): ServerInterceptor {
  const isKey = key === undefined ? undefined : secretCheck(`Bearer ${key}`);
  return ({ path }, call) => {
    if (path.startsWith(HEALTH)) return new ServerInterceptingCall(call);
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, go) => {
            if (isPeer(metadata, call.getPeer())) go(metadata);
            else call.sendStatus({ code: status.UNAUTHENTICATED, details: REFUSAL });
          },
        }),
    });
  };

  function isPeer(metadata: Metadata, peer: string): boolean {
    if (isKey === undefined) return isTrusted(peer);
    const [shown] = metadata.get('authorization');
    return shown !== undefined && isKey(shown.toString());
  }
}

const REFUSAL = 'this service is for processes of the cluster: send the key of cluster.keyFile';
