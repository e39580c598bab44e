export { holdProcess } from './hold-process.ts';
export { HOST_FILES } from './host-files.ts';
export { LocalDisk } from './local-disk.ts';
export { SystemClock } from './system-clock.ts';
export { SystemRandom } from './system-random.ts';
export { yieldTurn } from './yield-turn.ts';
