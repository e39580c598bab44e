import { createHash, timingSafeEqual } from 'node:crypto';
import { type Metadata, ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';

const HEALTH = '/grpc.health.v1.Health/';

/**
 * Lets in the other processes alone: those that show the cluster's key or, when there is none, callers that `isTrusted`
 * says may do without (loopback). Health checks are answered to everybody.
 */
export function peersOnly(key: string | undefined, isTrusted: (peer: string) => boolean): ServerInterceptor {
  const expected = key === undefined ? undefined : digest(`Bearer ${key}`);
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
    if (expected === undefined) return isTrusted(peer);
    const [shown] = metadata.get('authorization');
    return shown !== undefined && timingSafeEqual(digest(shown.toString()), expected);
  }
}

const REFUSAL = 'this service is for processes of the cluster: it needs the key of cluster.keyFile';

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
