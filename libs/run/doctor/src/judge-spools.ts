import type { Finding } from './finding.ts';
import { formatCount } from './format-values.ts';
import type { Observations } from './observations.ts';
import type { RefusedView } from './pipeline-view.ts';

/** The reason under which an agent names its damaged folder, with the counts of all that was lost when it was opened. */
const FOLDER_DAMAGED = 'spool_folder_damaged';
/** The reason under which a client counts the points that were lost when its spool was opened. */
const DAMAGED = 'spool_damaged';
/** The reason under which a client counts points of records that it could not read before it sent them. */
const UNREADABLE = 'spool_unreadable';
const REASONS: ReadonlySet<string> = new Set([FOLDER_DAMAGED, DAMAGED, UNREADABLE]);
/** Clients that the finding names; the others are counted. */
const NAMED_CLIENTS = 5;

/** Returns true for what damage took out of the spool of a client: not a fault of what was sent. */
export function isSpoolDamage({ stage, reason }: Pick<RefusedView, 'stage' | 'reason'>): boolean {
  return stage === 'client' && REASONS.has(reason);
}

/** Finds damaged spools of agents and clients. What they lost can't be brought back, so this is a note. */
export function judgeSpools({ pipeline }: Observations): Finding[] {
  const all = (pipeline?.sessions ?? []).flatMap(({ refused = [] }) => refused).filter(isSpoolDamage);
  const clients = [...new Set(all.filter(({ count }) => count > 0).map(({ client }) => client))];
  if (clients.length === 0) return [];
  const shown = clients.slice(0, NAMED_CLIENTS).map((client) => lossOf(client, all));
  const more = clients.length - shown.length;
  return [
    {
      kind: 'spool-damaged',
      severity: 'note',
      what: `a spool was damaged: ${shown.join('; ')}${more > 0 ? ` and ${more} more` : ''}`,
      sinceMs: undefined,
      means: 'dropped points are not stored, indeterminate ones may be; the rest of the spool is sent',
      next: 'check the disk of that folder (dmesg), and what else writes or deletes there; senders need no change',
    },
  ];
}

function lossOf(client: string, all: readonly RefusedView[]): string {
  const own = all.filter((one) => one.client === client);
  const sum = (reason: string): number =>
    own.reduce((total, one) => total + (one.reason === reason ? one.count : 0), 0);
  const folder = own.find(({ reason }) => reason === FOLDER_DAMAGED)?.example;
  const [damaged, unreadable] = [sum(DAMAGED), sum(UNREADABLE)];
  const parts = [
    ...(folder === undefined ? [] : [folder]),
    ...(folder === undefined && damaged > 0 ? [`${formatCount(damaged)} points dropped or indeterminate`] : []),
    ...(unreadable > 0 ? [`${formatCount(unreadable)} points could not be read before they were sent`] : []),
  ];
  return `${client}: ${parts.join(', ')}`;
}
