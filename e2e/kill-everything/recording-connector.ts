import { createHash } from 'node:crypto';
import { toHex } from '@tidemark/bytes';
import type { IntakeConnector, IntakeStream, IntakeStreamHandlers } from '@tidemark/client';
import { type Batch, BatchResult_Outcome, type SendReply } from '@tidemark/contract';
import { pointsOf } from '../simulation/ledger.ts';
import type { LedgerLine } from './ledger-line.ts';

/** Writes requests to intakes and their answers to the ledger, and changes neither. */
export class RecordingConnector implements IntakeConnector {
  readonly #inner: IntakeConnector;
  readonly #write: (line: LedgerLine) => void;
  readonly #sent = new Set<string>();

  constructor(inner: IntakeConnector, write: (line: LedgerLine) => void) {
    this.#inner = inner;
    this.#write = write;
  }

  connect(address: string, handlers: IntakeStreamHandlers): IntakeStream {
    let clientSession = '';
    let intakeSession = '';
    const onReply = (reply: SendReply): void => {
      const { message } = reply;
      if (message?.$case === 'greeting') {
        intakeSession = toHex(message.value.intakeSession);
        this.#write({ type: 'stream', clientSession, address, atMs: Date.now(), what: `greeted by ${intakeSession}` });
      }
      if (message?.$case === 'batch') {
        const { sequence, outcome, acceptedPoints: points, rejections } = message.value;
        const answer = { clientSession, sequence, points, intakeSession, atMs: Date.now() };
        const why = rejections.map(({ message: said }) => said).join('; ');
        if (outcome === BatchResult_Outcome.ACKED) this.#write({ type: 'acked', ...answer });
        else this.#write({ type: outcome === BatchResult_Outcome.RETRY ? 'retry' : 'refused', ...answer, why });
      }
      handlers.onReply(reply);
    };
    const onEnd: IntakeStreamHandlers['onEnd'] = (error) => {
      const what = `ended: ${error?.message ?? 'by the intake'}`;
      this.#write({ type: 'stream', clientSession, address, atMs: Date.now(), what });
      handlers.onEnd(error);
    };
    const stream = this.#inner.connect(address, { onReply, onEnd });
    return {
      send: (request) => {
        const { message } = request;
        if (message?.$case === 'hello') clientSession = toHex(message.value.clientSession);
        if (message?.$case === 'batch') this.#sending(clientSession, message.value);
        return stream.send(request);
      },
      ready: () => stream.ready(),
      close: () => {
        this.#write({ type: 'stream', clientSession, address, atMs: Date.now(), what: 'closed' });
        stream.close();
      },
    };
  }

  #sending(clientSession: string, { sequence, mapEpoch, shares }: Batch): void {
    const hash = createHash('sha256').update(`${mapEpoch}`);
    for (const { partition, points } of shares) hash.update(`/${partition}/`).update(points);
    const checksum = hash.digest('hex').slice(0, 16);
    const key = `${clientSession}:${sequence}:${checksum}`;
    if (this.#sent.has(key)) return;
    this.#sent.add(key);
    this.#write({
      type: 'sent',
      clientSession,
      sequence,
      partitions: shares.map(({ partition }) => partition),
      values: shares.flatMap(({ points }) => pointsOf(points).map(({ value }) => value)),
      checksum,
    });
  }
}
