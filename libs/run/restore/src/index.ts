export { MADE } from './claimed-folder.ts';
export {
  type RestoredPlatform,
  type RestoredStore,
  type RestoreOptions,
  type RestoreParts,
  restoreDataFolder,
} from './restore-data-folder.ts';
