/** A promise within one part that is broken on purpose in its source. A test of the part must detect it. */
export interface SourceSabotage {
  readonly name: string;
  readonly promise: string;
  /** Path of the source file from the root of the repository, and the change. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Path of the test file that must fail. */
  readonly caughtBy: string;
  /** The title of the test. */
  readonly title: string;
}

const SHARED_FOLD = 'libs/store/point-store/src/fold/shared-fold.test.ts';
const ANY_HISTORY =
  'series that are folded together give the same bits as each alone, for any history of the partition';
const OWN_TIMES = 'series with times of their own give the same bits as each alone, too';
const LATE_FOR_ALL =
  'points that are late for all series of a sender are resolved, although the series have the same times';
const CLOSES = 'libs/store/point-store/src/close/background-close.property.test.ts';
const ANY_COURSE =
  'closes in the background record the same hashes for any commits, turns, failures, kills, eras and retention';
const SCHEDULES = 'libs/store/point-store/src/schedules.property.test.ts';
const ANY_SCHEDULE =
  'equal points have equal hashes and answers, those of a plain model, for any commits, closes and kills';

/** The product has no switches for these: the source is changed when the test loads it (source-transform.ts). */
export const SOURCE_SABOTAGES: readonly SourceSabotage[] = [
  {
    name: 'acknowledged-unlisted',
    promise: 'the log lists a partition before it acknowledges a record of it',
    file: 'libs/adapter/embedded-log/src/partition.ts',
    find: 'if (!list.isSaved) await list.save();',
    replace: '',
    caughtBy: 'libs/adapter/embedded-log/src/gone-folder.test.ts',
    title: 'a partition that found no space at its first start is listed before its first record counts',
  },
  {
    name: 'dropped-at-page-end',
    promise: 'an answer has all of a step, also where a page of a series ends within it',
    file: 'libs/store/point-store/src/fold/slot-columns.ts',
    find: 'if (decoded === 0) this.#decodeOdd(pages, slot, at);',
    replace:
      'if (decoded === 0) this.#decodeOdd(pages, slot, at); ' +
      'if (pages.length > 1) decoder.floats[at / 8 + pages[0].countOf(slot) - 1] = 0;',
    caughtBy: SHARED_FOLD,
    title: ANY_HISTORY,
  },
  {
    name: 'overlap-on-the-fast-path',
    promise: 'points whose pages overlap in time are resolved before they are folded',
    file: 'libs/store/point-store/src/fold/shared-fold.ts',
    find: 'for (let i = 1; i < length; i++) if (!(timesMs[i - 1] < timesMs[i])) return undefined;',
    replace: '',
    caughtBy: SHARED_FOLD,
    title: LATE_FOR_ALL,
  },
  {
    name: 'overlap-of-own-times',
    promise: 'points of a series with times of its own are resolved before they are folded',
    file: 'libs/store/point-store/src/fold/own-folder.ts',
    find: 'if (!programs.ascends(timesAt, length)) return undefined;',
    replace: '',
    caughtBy: SHARED_FOLD,
    title: OWN_TIMES,
  },
  {
    name: 'exception-ignored',
    promise: 'a page gives back -0, NaN and infinities as they were',
    file: 'libs/data/page/src/page.ts',
    find: 'return this.#exceptionsAt !== undefined && this.#exceptionsAt[slot] > 0;',
    replace: 'return false;',
    caughtBy: SCHEDULES,
    title: ANY_SCHEDULE,
  },
  {
    name: 'slot-dealt-twice',
    promise: 'a slot of a deal belongs to one series',
    file: 'libs/store/point-store/src/pages/slot-deal.ts',
    find: 'page.series[page.slots++] = series;',
    replace: 'page.series[page.slots] = series; if (page.slots === 0 || series % 7 !== 3) page.slots++;',
    caughtBy: SCHEDULES,
    title: ANY_SCHEDULE,
  },
  {
    name: 'hash-by-commits',
    promise: 'the hash of a bucket is of its points alone, whichever commits wrote them',
    file: 'libs/store/point-store/src/close/hash-versions.ts',
    find: 'if (firstMs <= all[series]) late.add(series);',
    replace: '',
    caughtBy: SCHEDULES,
    title: ANY_SCHEDULE,
  },
  {
    name: 'hash-by-restarts',
    promise: 'the hash of a bucket is of its points alone, however many processes wrote them',
    file: 'libs/store/point-store/src/close/close-bucket.ts',
    find: 'deals.length > 1 ? await overlappingSeries(store, bucket, sequence, slice) : NONE',
    replace: 'NONE',
    caughtBy: SCHEDULES,
    title: ANY_SCHEDULE,
  },
  {
    name: 'hash-of-later-commits',
    promise: 'the hash of a bucket is of the points that it had at its cut, and not of those that come while it closes',
    file: 'libs/store/point-store/src/read/bucket-pages.ts',
    find: 'if (sequenceOfKey(key) > sequence) continue;',
    replace: '',
    caughtBy: CLOSES,
    title: ANY_COURSE,
  },
  {
    name: 'times-deleted-too-early',
    promise: 'times that pages share stay as long as one of the pages',
    file: 'libs/store/point-store/src/close/close-bucket.ts',
    find: 'times.keep(merged?.pages ?? versions.pages);',
    replace: 'if (merged !== undefined) times.keep(merged.pages);',
    caughtBy: 'libs/store/point-store/src/pages/times-records.test.ts',
    title: 'stay with the pages that a close leaves as they are',
  },
  {
    name: 'times-number-used-twice',
    promise: 'a close that begins again writes no times over those of pages that it has merged before',
    file: 'libs/store/point-store/src/close/deal-times.ts',
    find: 'Math.max(sequence * PARTS, (found.at(-1) ?? -1) + 1)',
    replace: 'sequence * PARTS',
    caughtBy: 'libs/store/point-store/src/pages/times-records.test.ts',
    title: 'leaves each page with its times',
  },
  {
    name: 'expired-with-later-points',
    promise: 'points that arrive for an expired bucket keep their pages and their index until the next close',
    file: 'libs/store/point-store/src/close/retention.ts',
    find: 'dealKey(prefix, next, sequence + 1)',
    replace: 'afterPrefix(bucketKey(prefix, next))',
    caughtBy: 'libs/store/point-store/src/close/background-close.test.ts',
    title:
      'buckets expire with the commit of a cut, their pages go in the background, and later points stay until the next close',
  },
  {
    name: 'late-point-lost-at-day-close',
    promise: 'points that arrive when their day is closed are in a further generation of it',
    file: 'libs/store/point-store/src/days/day-marks.ts',
    find: 'marks.set(day, { ...mark, isDirty: true })',
    replace: 'marks.set(day, mark)',
    caughtBy: 'libs/store/point-store/src/days/day-marks.test.ts',
    title: 'a day closes once, and what comes later is of the next generation with the next day',
  },
  {
    name: 'page-across-a-cut',
    promise: 'no page has points of two generations of a day',
    file: 'libs/store/point-store/src/close/bucket-merge.ts',
    find: 'store.days.cutsOf(daysOfBucket(family.bucket, store.limits.bucketMs))',
    replace: '[]',
    caughtBy: 'libs/store/point-store/src/days/closed-days.property.test.ts',
    title: 'a bucket that an era opens again after its day has closed keeps the generations of the day apart',
  },
  {
    name: 'day-manifest-before-files',
    promise: 'a day is visible when all of its points are there',
    file: 'libs/store/archive/src/archive-day.ts',
    find: 'segments.push(await putSegment(parts, place, part, input, options));',
    replace: `if (part === 0) {
        const empty = { ...place, segments, namesBytes: 28, namesCrc32c: 0, namedSeries: 0 };
        await objects.put(manifestKey(place), encodeDay(empty), { ifAbsent: true }).catch(() => undefined);
      }
      segments.push(await putSegment(parts, place, part, input, options));`,
    caughtBy: 'libs/store/archive/src/archive-day.test.ts',
    title: 'of several segments is complete after a crash at each put, and invisible before',
  },
  {
    name: 'foreign-segment-taken',
    promise: 'an object that is there is what would be written, or the day is not archived',
    file: 'libs/store/archive/src/archive-day.ts',
    find: 'info.sizeBytes === sizeBytes && info.crc32c === crc32c',
    replace: 'info.sizeBytes > 0',
    caughtBy: 'libs/store/archive/src/archive-day.test.ts',
    title: 'is not made where the object store has another one, or a metric has no name',
  },
];
