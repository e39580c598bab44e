import { toHex } from '@tidemark/bytes';
import { ProcessClient, type SessionReply, type SessionRequest } from '@tidemark/contract';
import type { IntakeStatus, ReportedSessions } from '@tidemark/intake';
import { isTidemarkError } from '@tidemark/ports';
import { peerCaller, peerChannel } from '@tidemark/rpc';
import type { PeerSecurity } from './peer-security.ts';
import type { ServiceContext } from './service-context.ts';

/** Operators read a status during failures, so it waits for no intake longer than this. */
const TIMEOUT_MS = 2000;

interface Intake {
  readonly address: string;
  readonly client: ProcessClient;
  readonly session: (request: SessionRequest, signal?: AbortSignal) => Promise<SessionReply>;
}

/** The intakes that the settings name. Each reports facts about its session that only its process knows. */
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

  /** Returns what all intakes report to a tenant, and the errors of those that do not answer in time. */
  async reports(tenant: string, signal?: AbortSignal): Promise<ReportedSessions> {
    const silent: string[] = [];
    const sessions = new Map<string, IntakeStatus>();
    const asked = this.#intakes.map(async ({ address, session: ask }) => {
      try {
        const { session } = await ask({ tenant }, signal);
        if (session !== undefined) sessions.set(toHex(session.session), session);
      } catch (error) {
        if (!isTidemarkError(error)) throw error;
        silent.push(`${address}: ${error.code}: ${error.message}`);
      }
    });
    await Promise.all(asked);
    const unreportedReason = silent.length > 0 ? silent.sort().join('; ') : 'cluster.intakes does not name its process';
    return { reported: sessions, unreportedReason };
  }

  close(): void {
    for (const { client } of this.#intakes) client.close();
  }
}
