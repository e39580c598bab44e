import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const ASK_MS = 3000;
const RETRY_MS = 20;
const METADATA = 3;
const ID_BYTES = 4;

/**
 * Returns the ids of the brokers that the broker at `port` lists as alive, by a Metadata request of version 0; none
 * when it does not answer. An open port is not enough: a broker opens it long before it serves requests.
 */
export function aliveBrokers(port: number): Promise<number[]> {
  const body = Buffer.alloc(14);
  body.writeInt16BE(METADATA, 0);
  body.writeInt32BE(7, 4);
  // No client id, and no topics.
  body.writeInt16BE(-1, 8);
  const request = Buffer.concat([Buffer.from([0, 0, 0, body.length]), body]);
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    let answer = Buffer.alloc(0);
    const end = (brokers: number[]): void => {
      socket.destroy();
      resolve(brokers);
    };
    socket.setTimeout(ASK_MS, () => end([]));
    socket.on('error', () => end([]));
    socket.on('close', () => end([]));
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length >= 4 && answer.length >= 4 + answer.readInt32BE(0)) end(brokerIds(answer));
    });
  });
}

/** Parses an answer: length, correlation id, and brokers with id, host (16-bit length and text), port. */
function brokerIds(answer: Buffer): number[] {
  const ids: number[] = [];
  let at = 12;
  for (let left = answer.readInt32BE(8); left > 0; left--) {
    ids.push(answer.readInt32BE(at));
    at += ID_BYTES + 2 + answer.readInt16BE(at + ID_BYTES) + 4;
  }
  return ids;
}

/** Resolves to true when the broker at `port` lists all `ids`; to false when `hasFailed` returns true before. */
export async function listsBrokers(port: number, ids: readonly number[], hasFailed: () => boolean): Promise<boolean> {
  for (;;) {
    const alive = await aliveBrokers(port);
    if (ids.every((id) => alive.includes(id))) return true;
    if (hasFailed()) return false;
    await delay(RETRY_MS);
  }
}
