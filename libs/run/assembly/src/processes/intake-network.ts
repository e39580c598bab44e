import { toHex } from '@tidemark/bytes';
import { ProcessClient, type SessionReply, type SessionRequest } from '@tidemark/contract';
import type { IntakeStatus, ReportedSessions } from '@tidemark/intake';
import { isTidemarkError } from '@tidemark/ports';
import { peerCaller, peerChannel } from '@tidemark/rpc';
import type { PeerSecurity } from './peer-security.ts';
import type { ServiceContext } from './service-context.ts';

/** A status is what one looks at when things are bad: it waits for no intake longer than this. */
const TIMEOUT_MS = 2000;

interface Intake {
  readonly address: string;
  readonly client: ProcessClient;
  readonly session: (request: SessionRequest, signal?: AbortSignal) => Promise<SessionReply>;
}

/** The intakes that the settings name, to be asked what only they know of their sessions. */
export class IntakeNetwork {
  readonly #intakes: readonly Intake[];

  /** Connects lazily. */
  constructor(
    { settings, clock }: Pick<ServiceContext, 'settings' | 'clock'>,
    peers: Pick<PeerSecurity, 'channel' | 'key'>,
  ) {
    const options = { clock, key: peers.key, timeoutMs: TIMEOUT_MS, messageBytes: settings.grpc.sendBytes };
    this.#intakes = settings.cluster.intakes.map((address) => {
      const client = new ProcessClient(address, peers.channel, peerChannel(options));
      return { address, client, session: peerCaller(client.session.bind(client), options) };
    });
  }

  /** What all of them tell a tenant; one that does not answer in time is told as such. */
  async told(tenant: string, signal?: AbortSignal): Promise<ReportedSessions> {
    const silent: string[] = [];
    const told = new Map<string, IntakeStatus>();
    const asked = this.#intakes.map(async ({ address, session: ask }) => {
      try {
        const { session } = await ask({ tenant }, signal);
        if (session !== undefined) told.set(toHex(session.session), session);
      } catch (error) {
        if (!isTidemarkError(error)) throw error;
        silent.push(`${address}: ${error.code}: ${error.message}`);
      }
    });
    await Promise.all(asked);
    const unreportedReason = silent.length > 0 ? silent.sort().join('; ') : 'cluster.intakes does not name its process';
    return { reported: told, unreportedReason };
  }

  close(): void {
    for (const { client } of this.#intakes) client.close();
  }
}
