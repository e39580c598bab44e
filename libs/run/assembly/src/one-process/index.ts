export { Platform } from './platform.ts';
export type { PlatformEvents, PlatformOptions } from './platform-options.ts';
