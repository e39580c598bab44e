// Preloaded into a process (`--import`) to put its wall clock ahead by as many ms as the file says that
// TEST_CLOCK_AHEAD names; without the file it is right. A change of the file is followed, as a step of NTP would be:
// monotonic time stays as it is.
import { readFileSync } from 'node:fs';

const READ_MS = 50;
const now = Date.now;
let aheadMs = 0;
let readMs = Number.NEGATIVE_INFINITY;

Date.now = () => {
  if (performance.now() - readMs > READ_MS) {
    readMs = performance.now();
    aheadMs = readAheadMs() ?? aheadMs;
  }
  return now() + aheadMs;
};

/** Returns undefined while the file is being written. */
function readAheadMs() {
  try {
    const text = readFileSync(process.env.TEST_CLOCK_AHEAD ?? '', 'utf8').trim();
    return text === '' ? undefined : Number(text);
  } catch {
    return undefined;
  }
}
