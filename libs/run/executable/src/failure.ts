import { TIDEMARK_COMMAND } from '@tidemark/model/tidemark-command';
import { type ErrorCode, isTidemarkError, type TidemarkError } from '@tidemark/ports';
import { SETTINGS } from '@tidemark/settings';

/** Formats an error for the terminal: what failed, then what to do. */
export function explain(error: unknown): string {
  if (!isTidemarkError(error)) return error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (typeof error.detail.problems === 'number') {
    const lines = error.message.split('\n').map((line) => `  ${line}`);
    return `invalid settings:\n${lines.join('\n')}\nAll settings: docs/settings.md`;
  }
  const advice = adviceFor(error);
  const { path } = error.detail;
  const message =
    typeof path === 'string' && !error.message.includes(path) ? `${error.message} (${path})` : error.message;
  return advice === undefined ? message : `${message}\n${advice}`;
}

function adviceFor({ code, detail }: TidemarkError): string | undefined {
  if (typeof detail.setting === 'string') return adviceForSetting(detail.setting, code);
  if (code === 'failed_precondition' && typeof detail.folder === 'string') {
    return 'Stop that process, or choose another folder with --data DIR.';
  }
  if (code === 'failed_precondition' && typeof detail.version === 'number') {
    return 'Start the version of Tidemark that wrote this folder or a newer one, or choose another folder with --data DIR.';
  }
  if (detail.field === 'bucket_ms') return 'Start it with the --store-bucket-ms that the folder was created with.';
  if (detail.errno === 'ENOSPC' || detail.errno === 'EDQUOT') {
    return 'The disk is full: free some space, or choose a folder on another disk with --data DIR.';
  }
  if (code === 'permission_denied' && typeof detail.path === 'string') {
    return 'Choose a folder that you may write to with --data DIR.';
  }
  return undefined;
}

function adviceForSetting(key: string, code: ErrorCode): string | undefined {
  // Without a key the host is right: what is missing is the key.
  if (key === 'listen.host' && code === 'failed_precondition') {
    return (
      'Start it on loopback, create a key with\n' +
      `  ${TIDEMARK_COMMAND} keys create NAME --scope admin\n` +
      'and start it again with --host.'
    );
  }
  if (key === 'listen.loopbackNeedsKey') {
    return (
      'Start it without --listen-loopback-needs-key, create a key with\n' +
      `  ${TIDEMARK_COMMAND} keys create NAME --scope admin\n` +
      'and start it again.'
    );
  }
  const setting = SETTINGS.find((one) => one.key === key);
  if (setting === undefined) return undefined;
  const { flag, variable, isSecret } = setting;
  return `Choose another with ${isSecret === true ? variable : `--${flag} (or ${variable})`}.`;
}
