import type { HealthReply, StatusReply } from '@tidemark/contract';
import type { HealthView, PipelineView } from '@tidemark/doctor';

/** Converts a status to the view that the doctor judges: ids in hex. */
export function pipelineView(status: StatusReply): PipelineView {
  const { points, tags, sessions, latenessMs, nowMs, errors, eras, replicas, divergences, forOperator } = status;
  return {
    points: points.map((one) => ({
      ...one,
      lanes: one.lanes.map((lane) => ({ ...lane, session: hex(lane.session) })),
      clients: one.clients.map(({ clientSession, latePoints }) => ({ clientSession: hex(clientSession), latePoints })),
    })),
    tags,
    sessions: sessions.map((one) => ({ ...one, session: hex(one.session) })),
    ...{ latenessMs, nowMs, errors, eras, replicas, divergences, forOperator },
  };
}

/** Converts a health reply to the view that the doctor judges: ids in hex. */
export function healthView({ clients, ...rest }: HealthReply): HealthView {
  return { ...rest, clients: clients.map((one) => ({ ...one, clientSession: hex(one.clientSession) })) };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
