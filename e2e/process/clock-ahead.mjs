// Preloaded into a process (`--import`) to put its wall clock ahead by as many ms as the file says that
// TEST_CLOCK_AHEAD names; without the file it is right. Monotonic time stays as it is.
import { readFileSync } from 'node:fs';

let aheadMs = 0;
try {
  aheadMs = Number(readFileSync(process.env.TEST_CLOCK_AHEAD ?? '', 'utf8'));
} catch {}
const now = Date.now;
if (aheadMs !== 0) Date.now = () => now() + aheadMs;
