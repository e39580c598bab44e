export { cacheFolder } from './cache-folder.ts';
export { freePorts } from './free-ports.ts';
export type { ProgramOptions } from './program.ts';
export { Program } from './program.ts';
export type { LinkMode } from './tcp-link.ts';
export { TcpLink } from './tcp-link.ts';
export { Watchdog } from './watchdog.ts';
export { whileLocked } from './while-locked.ts';
export { whyNot } from './why-not.ts';
