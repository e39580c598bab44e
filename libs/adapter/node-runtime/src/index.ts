export { holdProcess } from './hold-process.ts';
export { LocalDisk } from './local-disk.ts';
export { LOCAL_HOST_FILES } from './local-host-files.ts';
export { openFilesLimit } from './open-files-limit.ts';
export { prepareDataFolder } from './prepare-data-folder.ts';
export { SystemClock } from './system-clock.ts';
export { SystemRandom } from './system-random.ts';
export { yieldTurn } from './yield-turn.ts';
