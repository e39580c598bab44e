import { damagedDocument, tooLarge } from '@tidemark/documents';
import {
  ifStored,
  inParallel,
  type ListedObject,
  limitError,
  listedObjects,
  type ObjectStore,
  TidemarkError,
} from '@tidemark/ports';
import { type ArchivedDay, DAY_FORM, decodeDay } from './day-manifest.ts';
import { type DayKey, dayOfKey, dayOfManifest, manifestKey, namesKey, prefixOfDays, segmentKey } from './day-place.ts';

const KEY_FIELD = 'key of a day';
/** Manifests that are read at the same time. */
const PARALLEL_READS = 8;

/** Which days are listed: all without a bound. */
export interface DaysQuery {
  readonly partition?: number | undefined;
  /** The first and the last UTC day, days since 1970. */
  readonly fromDay?: number | undefined;
  readonly throughDay?: number | undefined;
}

/** Something that should be in the object store and can't be used, and why. */
export interface DayFinding {
  readonly key: string;
  readonly error: TidemarkError;
}

export interface ListedDays {
  /** Generations, sorted by day, partition and cut. */
  readonly days: readonly ArchivedDay[];
  /** Manifests that are damaged, foreign or of a newer program, and objects that manifests name and that are not there. */
  readonly findings: readonly DayFinding[];
}

type Reader = Pick<ObjectStore, 'list' | 'get' | 'head'>;
interface Options {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Lists the generations of days that an object store has. One that can't be read hides no other. Segments without a manifest, which a
 * crash leaves, and other objects are ignored. Errors: those of the store.
 */
export async function listDays(objects: Reader, query: DaysQuery = {}, options: Options = {}): Promise<ListedDays> {
  const manifests: ListedObject[] = [];
  const sizes = new Map<string, number>();
  for await (const object of listedObjects(objects, prefixOfDays({ partition: query.partition }), options)) {
    if (!isAsked(object.key, query)) continue;
    sizes.set(object.key, object.sizeBytes);
    if (object.key.endsWith('.json')) manifests.push(object);
  }
  const days: ArchivedDay[] = [];
  const findings: DayFinding[] = [];
  await inParallel(
    manifests,
    PARALLEL_READS,
    async (manifest, signal) => {
      const { key } = manifest;
      try {
        const day = await readManifest(objects, manifest, signal);
        findings.push(...(await missingOf(objects, day, sizes, signal)));
        days.push(day);
      } catch (error) {
        if (!isOfDay(error)) throw error;
        findings.push({ key, error });
      }
    },
    options.signal,
  );
  days.sort((a, b) => a.day - b.day || a.partition - b.partition || a.toOffset - b.toOffset);
  return { days, findings: findings.sort((a, b) => (a.key < b.key ? -1 : 1)) };
}

/** True for an error that says that one object can't be used, and nothing about the others. */
export function isOfDay(error: unknown): error is TidemarkError {
  if (!(error instanceof TidemarkError)) return false;
  const { code, detail } = error;
  if (code === 'data_loss' || code === 'not_found' || code === 'out_of_range') return true;
  // The store has other reasons for these codes, such as a bucket that does not exist.
  return (
    (code === 'failed_precondition' && (detail.reason === 'newer' || detail.version !== undefined)) || isForeign(error)
  );
}

function isForeign({ code, detail }: TidemarkError): boolean {
  return code === 'invalid_argument' && detail.field === KEY_FIELD;
}

/** Also true for keys of another form: what is wrong with a manifest is said. */
function isAsked(key: string, { fromDay, throughDay }: DaysQuery): boolean {
  const day = dayOfKey(key);
  if (Number.isNaN(day)) return true;
  return day >= (fromDay ?? Number.NEGATIVE_INFINITY) && day <= (throughDay ?? Number.POSITIVE_INFINITY);
}

async function readManifest(
  objects: Reader,
  { key, sizeBytes }: ListedObject,
  signal: AbortSignal,
): Promise<ArchivedDay> {
  const place = dayOfManifest(key);
  if (place === undefined)
    throw limitError(KEY_FIELD, key, 'days/points-PARTITION/YYYY-MM-DD/CUT.json, CUT of 16 digits');
  if (sizeBytes > DAY_FORM.bytes) throw tooLarge(key, sizeBytes, DAY_FORM);
  return dayOf(key, (await objects.get(key, { signal })).bytes);
}

function dayOf(key: string, bytes: Uint8Array): ArchivedDay {
  const day = decodeDay(bytes, key);
  const own = manifestKey(day);
  if (own !== key) throw damagedDocument(key, '', `the manifest of ${own}`, 'that of its key');
  return day;
}

/** Reads the manifest of a generation; undefined where there is none. Errors: those of `decodeDay` and of the store. */
export async function readDay(
  objects: Pick<ObjectStore, 'head' | 'get'>,
  place: DayKey,
  { signal }: Options = {},
): Promise<ArchivedDay | undefined> {
  const key = manifestKey(place);
  const options = signal === undefined ? {} : { signal };
  const info = await ifStored(objects.head(key, options));
  if (info !== undefined && info.sizeBytes > DAY_FORM.bytes) throw tooLarge(key, info.sizeBytes, DAY_FORM);
  const found = info && (await ifStored(objects.get(key, options)));
  return found && dayOf(key, found.bytes);
}

/** The cuts at which a day of a partition was archived, ascending. Errors: those of the store. */
export async function archivedCuts(
  objects: Pick<ObjectStore, 'list'>,
  place: Pick<DayKey, 'partition' | 'day'>,
  options: Options = {},
): Promise<number[]> {
  const cuts: number[] = [];
  for await (const { key } of listedObjects(objects, prefixOfDays(place), options)) {
    const found = dayOfManifest(key);
    if (found !== undefined) cuts.push(found.toOffset);
  }
  return cuts;
}

/** The objects that a manifest names and that are not there, or have another size. */
async function missingOf(
  objects: Reader,
  day: ArchivedDay,
  sizes: ReadonlyMap<string, number>,
  signal: AbortSignal,
): Promise<DayFinding[]> {
  const wanted = [
    ...day.segments.map(({ bytes }, part) => ({ key: segmentKey(day, part), bytes })),
    { key: namesKey(day), bytes: day.namesBytes },
  ];
  const findings: DayFinding[] = [];
  for (const { key, bytes } of wanted) {
    if (sizes.get(key) === bytes) continue;
    // One that was put while the list was read may not be in it.
    const found = await sizeOf(objects, key, signal);
    if (found === bytes) continue;
    const what = found === undefined ? 'does not exist' : `has ${found} bytes`;
    const text = `object ${key} ${what} (expected: ${bytes} bytes, by ${manifestKey(day)}): restore it from a copy`;
    findings.push({ key, error: new TidemarkError('data_loss', text, { key }) });
  }
  return findings;
}

function sizeOf(objects: Reader, key: string, signal: AbortSignal): Promise<number | undefined> {
  return ifStored(objects.head(key, { signal })).then((found) => found?.sizeBytes);
}
