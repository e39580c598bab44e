import { isNamedAsCounter, KIND } from '@tidemark/model';
import { metadataMessage, metadataOfMessage } from '@tidemark/store-rpc';
import type { Match } from '../simulation/wiring.ts';

/** Answers as if the protocol had stated what only the name suggests. */
export function statingGuesses(match: Match): Match {
  return (request) => {
    const reply = match(request);
    const { user, protocol } = metadataOfMessage(reply.metadata);
    if (!isNamedAsCounter(request.metric)) return reply;
    const stated = { ...protocol, kind: protocol?.kind ?? KIND.counter };
    return { ...reply, metadata: metadataMessage({ user, protocol: stated }) };
  };
}
