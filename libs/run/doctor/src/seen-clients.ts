import type { ClientView, Observations } from './observations.ts';

/** How an agent calls itself: it flushes even without values, so its silence is a symptom. */
const AGENT_NAME = /^agent /;

export function isAgent({ name }: ClientView): boolean {
  return AGENT_NAME.test(name);
}

/** A client that some intake knows. */
export interface SeenClient {
  readonly client: ClientView;
  /** By the intake's clock. */
  readonly nowMs: number;
}

/** A client that several intakes have met, as the one knows it that it is connected to, or met it last. */
export function newestByClient({ processes }: Observations): SeenClient[] {
  const newest = new Map<string, SeenClient>();
  for (const { answer } of processes) {
    if (answer.state !== 'answered') continue;
    const { clients, nowMs } = answer.health;
    for (const client of clients) {
      const key = `${client.clientSession} ${client.tenant}`;
      const known = newest.get(key);
      if (known === undefined || metMs(client, nowMs) > metMs(known.client, known.nowMs))
        newest.set(key, { client, nowMs });
    }
  }
  return [...newest.values()];
}

function metMs({ lostMs, lastBatchMs }: ClientView, nowMs: number): number {
  return lostMs === undefined ? nowMs + lastBatchMs : Math.max(lostMs, lastBatchMs);
}

export function nameOf({ tenant, name }: ClientView): string {
  return tenant === 'default' ? name : `${name} of tenant ${tenant}`;
}
