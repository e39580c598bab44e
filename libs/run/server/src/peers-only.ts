import { type Metadata, ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';
import { secretCheck } from '@tidemark/access';

const HEALTH = '/grpc.health.v1.Health/';

/**
 * Lets in the other processes alone: those that show the cluster's key or, when there is none, callers that `isTrusted`
 * says may do without (loopback). Health checks are answered to everybody.
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

const REFUSAL = 'this service is for processes of the cluster: it needs the key of cluster.keyFile';
