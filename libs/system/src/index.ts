export { holdProcess } from './hold-process.ts';
export { LocalDisk } from './local-disk.ts';
export { SystemClock } from './system-clock.ts';
export { SystemRandom } from './system-random.ts';
