export { Platform } from './platform.ts';
export type { PlatformContext } from './platform-context.ts';
