;; Makes the program of foldSums and foldHeld (fold.wat) for one column of times. Built into generated/program.ts by
;; `npm run generate`. It does what fold-program.ts does, record by record, for times, steps and a start that are integers:
;; sums of them are exact in any order.
(module
  (memory (import "tidemark" "memory") 1)
  ;; Kinds of records, see ProgramRecords.
  (global $SKIP i32 (i32.const 0))
  (global $ADD i32 (i32.const 1))
  (global $TAKE i32 (i32.const 2))
  (global $TAKE_FROM i32 (i32.const 3))
  (global $CUT i32 (i32.const 4))
  (global $REST i32 (i32.const 5))
  (global $AGAIN i32 (i32.const 2))
  (global $END i32 (i32.const 6))
  ;; Those of reporting-interval.ts, and holdMs of time-folder.ts.
  (global $GAPS i32 (i32.const 5))
  (global $SURE_GAPS i32 (i32.const 3))
  (global $GUESS_MS f64 (f64.const 300000))
  (global $REGULAR_SHARE f64 (f64.const 0.1))
  (global $REACH_POINTS i32 (i32.const 4))
  (global $HOLD_INTERVALS f64 (f64.const 2.5))
  (global $UNKNOWN_MS f64 (f64.const 10000))

  ;; The range, [from, to) in steps of `stepMs`.
  (global $from (mut f64) (f64.const 0))
  (global $to (mut f64) (f64.const 0))
  (global $stepMs (mut f64) (f64.const 0))
  ;; The times, and how many there are.
  (global $times (mut i32) (i32.const 0))
  (global $count (mut i32) (i32.const 0))
  ;; Statements of intervals: pairs of the time from which one holds and of its ms; and the one of the metric.
  (global $stated (mut i32) (i32.const 0))
  (global $statedEnd (mut i32) (i32.const 0))
  (global $metricMs (mut f64) (f64.const 0))
  ;; Room for five gaps.
  (global $scratch (mut i32) (i32.const 0))
  ;; By step: f64 what is covered or counted, u8 whether something is there, f64 the newest time.
  (global $weights (mut i32) (i32.const 0))
  (global $present (mut i32) (i32.const 0))
  (global $lastTimes (mut i32) (i32.const 0))
  ;; Where the next duration and the next record go.
  (global $durations (mut i32) (i32.const 0))
  (global $records (mut i32) (i32.const 0))
  ;; The step of the last record, or -1; and its kind while it may be continued, or -1.
  (global $step (mut i32) (i32.const -1))
  (global $open (mut i32) (i32.const -1))
  ;; The steps that have something.
  (global $first (export "first") (mut i32) (i32.const 0))
  (global $end (export "end") (mut i32) (i32.const 0))
  ;; A step came after one that had ended: there is no program.
  (global $isOutOfOrder (mut i32) (i32.const 0))

  ;; Sets what is the same for all columns of a query.
  (func (export "setRange") (param $from f64) (param $stepMs f64) (param $steps i32) (param $metricMs f64)
      (param $scratch i32) (param $weights i32) (param $present i32) (param $lastTimes i32)
    (global.set $from (local.get $from))
    (global.set $stepMs (local.get $stepMs))
    (global.set $to (f64.add (local.get $from) (f64.mul (local.get $stepMs) (f64.convert_i32_s (local.get $steps)))))
    (global.set $metricMs (local.get $metricMs))
    (global.set $scratch (local.get $scratch))
    (global.set $weights (local.get $weights))
    (global.set $present (local.get $present))
    (global.set $lastTimes (local.get $lastTimes))
    (memory.fill (local.get $weights) (i32.const 0) (i32.shl (local.get $steps) (i32.const 3)))
    (memory.fill (local.get $present) (i32.const 0) (local.get $steps))
    (global.set $first (local.get $steps))
    (global.set $end (i32.const 0)))

  (func $timeAt (param $i i32) (result f64)
    (f64.load (i32.add (global.get $times) (i32.shl (local.get $i) (i32.const 3)))))

  (func $stepOf (param $timeMs f64) (result i32)
    (i32.trunc_sat_f64_s (f64.floor (f64.div (f64.sub (local.get $timeMs) (global.get $from)) (global.get $stepMs)))))

  (func $startOf (param $step i32) (result f64)
    (f64.add (global.get $from) (f64.mul (f64.convert_i32_s (local.get $step)) (global.get $stepMs))))

  (func $push (param $kind i32) (param $n i32) (param $factor f64)
    (i32.store (global.get $records) (local.get $kind))
    (i32.store offset=4 (global.get $records) (local.get $n))
    (f64.store offset=8 (global.get $records) (local.get $factor))
    (global.set $records (i32.add (global.get $records) (i32.const 16)))
    (global.set $open (i32.const -1)))

  ;; `n` more values of a record that is continued.
  (func $several (param $kind i32) (param $n i32)
    (local $last i32)
    (if (i32.eq (global.get $open) (local.get $kind)) (then
      (local.set $last (i32.sub (global.get $records) (i32.const 12)))
      (i32.store (local.get $last) (i32.add (i32.load (local.get $last)) (local.get $n)))
      (return)))
    (call $push (local.get $kind) (local.get $n) (f64.const 0))
    (global.set $open (local.get $kind)))

  (func $endStep
    (if (i32.ne (global.get $step) (i32.const -1))
      (then (call $push (global.get $END) (global.get $step) (f64.const 0)))))

  (func $enter (param $step i32)
    (if (i32.eq (local.get $step) (global.get $step)) (then (return)))
    (if (i32.lt_s (local.get $step) (global.get $step)) (then (global.set $isOutOfOrder (i32.const 1))))
    (call $endStep)
    (global.set $step (local.get $step)))

  ;; Says that a step has something, whose newest time is `timeMs`, and that `ms` of it are covered.
  (func $touch (param $step i32) (param $timeMs f64) (param $ms f64)
    (local $at i32)
    (if (i32.lt_s (local.get $step) (global.get $first)) (then (global.set $first (local.get $step))))
    (if (i32.ge_s (local.get $step) (global.get $end))
      (then (global.set $end (i32.add (local.get $step) (i32.const 1)))))
    (i32.store8 (i32.add (global.get $present) (local.get $step)) (i32.const 1))
    (local.set $at (i32.shl (local.get $step) (i32.const 3)))
    (f64.store (i32.add (global.get $lastTimes) (local.get $at)) (local.get $timeMs))
    (local.set $at (i32.add (global.get $weights) (local.get $at)))
    (f64.store (local.get $at) (f64.add (f64.load (local.get $at)) (local.get $ms))))

  ;; Adds `n` values, the last of them at `timeMs`, to a step of which they cover `ms`.
  (func $addRun (param $step i32) (param $n i32) (param $timeMs f64) (param $ms f64)
    (if (i32.eqz (local.get $n)) (then (return)))
    (call $enter (local.get $step))
    (call $several (global.get $ADD) (local.get $n))
    (call $touch (local.get $step) (local.get $timeMs) (local.get $ms)))

  ;; Spreads the next amount over [startMs, endMs), which is not empty.
  (func $spread (param $startMs f64) (param $endMs f64) (param $newestMs f64)
    (local $step i32) (local $fromMs f64) (local $toMs f64) (local $stepEndMs f64) (local $durationMs f64)
    (if (i32.or
          (f64.ge (local.get $startMs) (global.get $to))
          (f64.le (local.get $endMs) (global.get $from)))
      (then
        (call $several (global.get $SKIP) (i32.const 1))
        (return)))
    (local.set $durationMs (f64.sub (local.get $endMs) (local.get $startMs)))
    (if (f64.gt (local.get $startMs) (global.get $from)) (then
      (local.set $step (call $stepOf (local.get $startMs)))))
    (local.set $fromMs (f64.max (local.get $startMs) (global.get $from)))
    (local.set $toMs (f64.min (local.get $endMs) (global.get $to)))
    (local.set $stepEndMs (call $startOf (i32.add (local.get $step) (i32.const 1))))
    (if (i32.and
          (f64.eq (local.get $fromMs) (local.get $startMs))
          (f64.eq (f64.min (local.get $toMs) (local.get $stepEndMs)) (local.get $endMs)))
      (then
        (call $addRun (local.get $step) (i32.const 1) (local.get $newestMs) (local.get $durationMs))
        (return)))
    (if (f64.eq (local.get $fromMs) (local.get $startMs))
      (then (call $push (global.get $TAKE) (i32.const 0) (f64.const 0)))
      (else (call $push (global.get $TAKE_FROM) (i32.const 0)
        (f64.div (f64.sub (local.get $fromMs) (local.get $startMs)) (local.get $durationMs)))))
    (block $done (loop $parts
      (br_if $done (f64.ge (local.get $fromMs) (local.get $toMs)))
      (local.set $stepEndMs (f64.min (local.get $toMs) (call $startOf (i32.add (local.get $step) (i32.const 1)))))
      (call $enter (local.get $step))
      ;; No records are reserved for what is out of order.
      (br_if $done (global.get $isOutOfOrder))
      (if (f64.eq (local.get $stepEndMs) (local.get $endMs))
        (then (call $push (global.get $REST) (i32.const 0) (f64.const 0)))
        (else (call $push (global.get $CUT) (i32.const 0)
          (f64.div (f64.sub (local.get $stepEndMs) (local.get $startMs)) (local.get $durationMs)))))
      (call $touch (local.get $step) (local.get $newestMs) (f64.sub (local.get $stepEndMs) (local.get $fromMs)))
      (local.set $fromMs (local.get $stepEndMs))
      (local.set $step (i32.add (local.get $step) (i32.const 1)))
      (br $parts))))

  ;; Spreads the increases between the times: most of them lie within the step of the one before.
  (func $increases
    (local $at i32) (local $end i32) (local $beforeMs f64) (local $timeMs f64)
    (local $step i32) (local $startMs f64) (local $endMs f64) (local $n i32) (local $runMs f64)
    (local.set $at (global.get $times))
    (local.set $end (i32.add (local.get $at) (i32.shl (global.get $count) (i32.const 3))))
    (if (i32.eqz (global.get $count)) (then (return)))
    (local.set $beforeMs (f64.load (local.get $at)))
    (block $done (loop $each
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (br_if $done (f64.ge (local.get $beforeMs) (global.get $to)))
      (local.set $timeMs (f64.load (local.get $at)))
      (if (i32.and
            (f64.ge (local.get $beforeMs) (local.get $startMs))
            (f64.le (local.get $timeMs) (local.get $endMs)))
        (then
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (local.set $beforeMs (local.get $timeMs))
          (br $each)))
      (call $addRun (local.get $step) (local.get $n) (local.get $beforeMs)
        (f64.sub (local.get $beforeMs) (local.get $runMs)))
      (local.set $n (i32.const 0))
      (call $spread (local.get $beforeMs) (local.get $timeMs) (local.get $timeMs))
      (if (i32.and
            (f64.ge (local.get $timeMs) (global.get $from))
            (f64.lt (local.get $timeMs) (global.get $to)))
        (then
          (local.set $step (call $stepOf (local.get $timeMs)))
          (local.set $startMs (call $startOf (local.get $step)))
          (local.set $endMs (call $startOf (i32.add (local.get $step) (i32.const 1)))))
        (else
          ;; No time is in it.
          (local.set $startMs (f64.const inf))))
      (local.set $beforeMs (local.get $timeMs))
      (local.set $runMs (local.get $timeMs))
      (br $each)))
    (call $addRun (local.get $step) (local.get $n) (local.get $beforeMs)
      (f64.sub (local.get $beforeMs) (local.get $runMs))))

  ;; Adds, and counts, the values by their times.
  (func $within
    (local $at i32) (local $end i32) (local $timeMs f64) (local $newestMs f64)
    (local $step i32) (local $endMs f64) (local $n i32)
    (local.set $at (global.get $times))
    (local.set $end (i32.add (local.get $at) (i32.shl (global.get $count) (i32.const 3))))
    (local.set $endMs (f64.const -inf))
    (block $done (loop $each
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $timeMs (f64.load (local.get $at)))
      (br_if $done (f64.ge (local.get $timeMs) (global.get $to)))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (if (f64.lt (local.get $timeMs) (global.get $from)) (then
        (call $several (global.get $SKIP) (i32.const 1))
        (br $each)))
      (if (f64.ge (local.get $timeMs) (local.get $endMs)) (then
        (call $addRun (local.get $step) (local.get $n) (local.get $newestMs) (f64.convert_i32_u (local.get $n)))
        (local.set $n (i32.const 0))
        (local.set $step (call $stepOf (local.get $timeMs)))
        (local.set $endMs (call $startOf (i32.add (local.get $step) (i32.const 1))))))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (local.set $newestMs (local.get $timeMs))
      (br $each)))
    (call $addRun (local.get $step) (local.get $n) (local.get $newestMs) (f64.convert_i32_u (local.get $n))))

  ;; The interval that is stated for a time, or 0.
  (func $statedAt (param $timeMs f64) (result f64)
    (local $at i32)
    (local.set $at (global.get $statedEnd))
    (block $none (loop $each
      (br_if $none (i32.eq (local.get $at) (global.get $stated)))
      (local.set $at (i32.sub (local.get $at) (i32.const 16)))
      (br_if $each (f64.gt (f64.load (local.get $at)) (local.get $timeMs)))
      (return (f64.load offset=8 (local.get $at)))))
    (global.get $metricMs))

  ;; Puts up to five gaps before a time into the scratch in order; returns how many.
  (func $sortGaps (param $i i32) (result i32)
    (local $n i32) (local $left i32) (local $at i32) (local $gap f64)
    (local.set $n (select (local.get $i) (global.get $GAPS) (i32.lt_s (local.get $i) (global.get $GAPS))))
    (local.set $left (local.get $n))
    ;; Behind those that are in order already.
    (block $done (loop $each
      (br_if $done (i32.eqz (local.get $left)))
      (local.set $gap (f64.sub (call $timeAt (local.get $i)) (call $timeAt (i32.sub (local.get $i) (i32.const 1)))))
      (local.set $at (i32.add (global.get $scratch)
        (i32.shl (i32.sub (local.get $n) (local.get $left)) (i32.const 3))))
      (block $placed (loop $larger
        (br_if $placed (i32.eq (local.get $at) (global.get $scratch)))
        (br_if $placed (f64.le (f64.load (i32.sub (local.get $at) (i32.const 8))) (local.get $gap)))
        (f64.store (local.get $at) (f64.load (i32.sub (local.get $at) (i32.const 8))))
        (local.set $at (i32.sub (local.get $at) (i32.const 8)))
        (br $larger)))
      (f64.store (local.get $at) (local.get $gap))
      (local.set $i (i32.sub (local.get $i) (i32.const 1)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br $each)))
    (local.get $n))

  ;; The lower median of `n` gaps in the scratch.
  (func $median (param $n i32) (result f64)
    (f64.load (i32.add (global.get $scratch)
      (i32.shl (i32.shr_s (i32.sub (local.get $n) (i32.const 1)) (i32.const 1)) (i32.const 3)))))

  ;; ReportingIntervals.ofReading.
  (func $ofReading (param $i i32) (result f64)
    (local $ms f64) (local $n i32)
    (local.set $ms (call $statedAt (call $timeAt (local.get $i))))
    (if (f64.gt (local.get $ms) (f64.const 0)) (then (return (local.get $ms))))
    (local.set $n (call $sortGaps (local.get $i)))
    (if (i32.eqz (local.get $n)) (then (return (f64.const 0))))
    (local.set $ms (call $median (local.get $n)))
    (if (result f64) (i32.lt_s (local.get $n) (global.get $SURE_GAPS))
      (then (f64.min (local.get $ms) (global.get $GUESS_MS)))
      (else (local.get $ms))))

  ;; ReportingIntervals.ofAmount.
  (func $ofAmount (param $i i32) (result f64)
    (local $ms f64) (local $n i32) (local $at i32) (local $regular i32)
    (local.set $ms (call $statedAt (call $timeAt (local.get $i))))
    (if (f64.gt (local.get $ms) (f64.const 0)) (then (return (local.get $ms))))
    (local.set $n (call $sortGaps (local.get $i)))
    (if (i32.lt_s (local.get $n) (global.get $SURE_GAPS)) (then (return (f64.const 0))))
    (local.set $ms (call $median (local.get $n)))
    (loop $each
      (if (f64.le
            (f64.abs (f64.sub
              (f64.load (i32.add (global.get $scratch) (i32.shl (local.get $at) (i32.const 3))))
              (local.get $ms)))
            (f64.mul (local.get $ms) (global.get $REGULAR_SHARE)))
        (then (local.set $regular (i32.add (local.get $regular) (i32.const 1)))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $each (i32.lt_s (local.get $at) (local.get $n))))
    (select (local.get $ms) (f64.const 0)
      (i32.ge_s (i32.shl (local.get $regular) (i32.const 1)) (local.get $n))))

  ;; ReportingIntervals.reachOf, of an amount with that interval.
  (func $reachOf (param $i i32) (param $intervalMs f64) (result f64)
    (local $timeMs f64) (local $endMs f64)
    (local.set $timeMs (call $timeAt (local.get $i)))
    (local.set $endMs (f64.add (local.get $timeMs) (local.get $intervalMs)))
    (if (f64.gt (call $statedAt (local.get $timeMs)) (f64.const 0)) (then (return (local.get $endMs))))
    (local.set $i (i32.add (local.get $i) (global.get $REACH_POINTS)))
    (if (i32.ge_s (local.get $i) (global.get $count)) (then (return (local.get $endMs))))
    (f64.min (local.get $endMs) (call $timeAt (local.get $i))))

  ;; Spreads amounts over their intervals; 0 where there is no program.
  (func $amounts (result i32)
    (local $i i32) (local $startMs f64) (local $endMs f64) (local $ownMs f64) (local $step i32)
    (block $done (loop $each
      (br_if $done (i32.ge_s (local.get $i) (global.get $count)))
      (local.set $startMs (call $timeAt (local.get $i)))
      (br_if $done (f64.ge (local.get $startMs) (global.get $to)))
      (local.set $ownMs (call $ofAmount (local.get $i)))
      (local.set $endMs (call $reachOf (local.get $i) (local.get $ownMs)))
      (if (f64.ne (local.get $endMs) (f64.add (local.get $startMs) (local.get $ownMs))) (then (return (i32.const 0))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (if (f64.gt (local.get $endMs) (local.get $startMs))
        (then (call $spread (local.get $startMs) (local.get $endMs) (local.get $startMs)))
        (else (if (f64.lt (local.get $startMs) (global.get $from))
          (then (call $several (global.get $SKIP) (i32.const 1)))
          (else
            (local.set $step (call $stepOf (local.get $startMs)))
            (call $addRun (local.get $step) (i32.const 1) (local.get $startMs) (f64.const 0))))))
      (br_if $each (i32.eqz (global.get $isOutOfOrder)))
      (return (i32.const 0))))
    (i32.const 1))

  ;; The next value holds over [startMs, endMs), of which some is in the range.
  (func $hold (param $startMs f64) (param $endMs f64)
    (local $step i32) (local $fromMs f64) (local $toMs f64) (local $stepEndMs f64) (local $isFurther i32)
    (if (f64.gt (local.get $startMs) (global.get $from)) (then
      (local.set $step (call $stepOf (local.get $startMs)))))
    (local.set $fromMs (f64.max (local.get $startMs) (global.get $from)))
    (local.set $toMs (f64.min (local.get $endMs) (global.get $to)))
    (block $done (loop $parts
      (br_if $done (f64.ge (local.get $fromMs) (local.get $toMs)))
      (local.set $stepEndMs (f64.min (local.get $toMs) (call $startOf (i32.add (local.get $step) (i32.const 1)))))
      (call $enter (local.get $step))
      ;; No records are reserved for what is out of order.
      (br_if $done (global.get $isOutOfOrder))
      (if (local.get $isFurther)
        (then (call $push (global.get $AGAIN) (i32.const 1) (f64.const 0)))
        (else (call $several (global.get $ADD) (i32.const 1))))
      (local.set $isFurther (i32.const 1))
      (f64.store (global.get $durations) (f64.sub (local.get $stepEndMs) (local.get $fromMs)))
      (global.set $durations (i32.add (global.get $durations) (i32.const 8)))
      (call $touch (local.get $step) (local.get $startMs) (f64.sub (local.get $stepEndMs) (local.get $fromMs)))
      (local.set $fromMs (local.get $stepEndMs))
      (local.set $step (i32.add (local.get $step) (i32.const 1)))
      (br $parts))))

  ;; Readings that hold until the next one: most of them within the step of the one before.
  (func $readings
    (local $i i32) (local $startMs f64) (local $nextMs f64) (local $endMs f64) (local $gapMs f64) (local $leastMs f64)
    (local $step i32) (local $stepStartMs f64) (local $stepEndMs f64) (local $n i32) (local $newestMs f64)
    (local $coveredMs f64) (local $isInferred i32)
    (if (i32.eqz (global.get $count)) (then (return)))
    (local.set $isInferred (i32.and
      (i32.eq (global.get $stated) (global.get $statedEnd))
      (f64.eq (global.get $metricMs) (f64.const 0))))
    (local.set $leastMs (f64.const inf))
    (local.set $nextMs (call $timeAt (i32.const 0)))
    (block $done (loop $each
      (br_if $done (i32.ge_s (local.get $i) (global.get $count)))
      (local.set $startMs (local.get $nextMs))
      (br_if $done (f64.ge (local.get $startMs) (global.get $to)))
      (local.set $nextMs (f64.const inf))
      (if (i32.lt_s (i32.add (local.get $i) (i32.const 1)) (global.get $count))
        (then (local.set $nextMs (call $timeAt (i32.add (local.get $i) (i32.const 1))))))
      (local.set $gapMs (f64.sub (local.get $nextMs) (local.get $startMs)))
      (local.set $endMs (local.get $nextMs))
      ;; No gap before it was so short that the interval could end the hold before the next one.
      (if (i32.eqz (i32.and
            (i32.and (local.get $isInferred) (i32.ge_s (local.get $i) (global.get $SURE_GAPS)))
            (f64.le (local.get $gapMs) (f64.mul (global.get $HOLD_INTERVALS) (local.get $leastMs)))))
        (then
          (if (f64.gt (local.get $nextMs) (global.get $from)) (then
            (local.set $endMs (call $ofReading (local.get $i)))
            (if (i32.and (local.get $isInferred) (i32.ge_s (local.get $i) (i32.const 1)))
              (then (local.set $leastMs (f64.load (global.get $scratch)))))
            (if (f64.eq (local.get $endMs) (f64.const 0)) (then (local.set $endMs (global.get $UNKNOWN_MS))))
            (local.set $endMs (f64.min (local.get $nextMs)
              (f64.add (local.get $startMs) (f64.mul (global.get $HOLD_INTERVALS) (local.get $endMs)))))))))
      (local.set $leastMs (f64.min (local.get $leastMs) (local.get $gapMs)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (if (i32.and
            (f64.ge (local.get $startMs) (local.get $stepStartMs))
            (f64.le (local.get $endMs) (local.get $stepEndMs)))
        (then
          (f64.store (global.get $durations) (f64.sub (local.get $endMs) (local.get $startMs)))
          (global.set $durations (i32.add (global.get $durations) (i32.const 8)))
          (local.set $coveredMs (f64.add (local.get $coveredMs) (f64.sub (local.get $endMs) (local.get $startMs))))
          (local.set $newestMs (local.get $startMs))
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br $each)))
      (call $addRun (local.get $step) (local.get $n) (local.get $newestMs) (local.get $coveredMs))
      (local.set $n (i32.const 0))
      (local.set $coveredMs (f64.const 0))
      (if (f64.le (local.get $endMs) (global.get $from)) (then
        (call $several (global.get $SKIP) (i32.const 1))
        (br $each)))
      (call $hold (local.get $startMs) (local.get $endMs))
      (local.set $step (i32.const 0))
      (if (f64.ge (local.get $endMs) (global.get $from)) (then
        (local.set $step (call $stepOf (local.get $endMs)))))
      (local.set $stepStartMs (call $startOf (local.get $step)))
      ;; Behind the range there is no step.
      (local.set $stepEndMs (f64.min (global.get $to) (call $startOf (i32.add (local.get $step) (i32.const 1)))))
      (br $each)))
    (call $addRun (local.get $step) (local.get $n) (local.get $newestMs) (local.get $coveredMs)))

  ;; Amounts that hold over their intervals; 0 where there is no program.
  (func $heldAmounts (result i32)
    (local $i i32) (local $startMs f64) (local $endMs f64)
    (block $done (loop $each
      (br_if $done (i32.ge_s (local.get $i) (global.get $count)))
      (local.set $startMs (call $timeAt (local.get $i)))
      (br_if $done (f64.ge (local.get $startMs) (global.get $to)))
      (local.set $endMs (call $reachOf (local.get $i) (call $ofAmount (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (if (i32.and
            (f64.le (local.get $endMs) (local.get $startMs))
            (f64.ge (local.get $startMs) (global.get $from)))
        (then (return (i32.const 0))))
      (if (f64.le (local.get $endMs) (global.get $from))
        (then (call $several (global.get $SKIP) (i32.const 1)))
        (else (call $hold (local.get $startMs) (local.get $endMs))))
      (br_if $each (i32.eqz (global.get $isOutOfOrder)))
      (return (i32.const 0))))
    (i32.const 1))

  ;; Makes the program of `count` times, which ascend, no two equal. `kind` is 0 for increases, 1 for values that are
  ;; added or counted by their times, 2 for readings that hold, 3 for amounts that are spread, 4 for amounts that hold.
  ;; Returns the end of the records, or 0 where there is no program. Durations go to `durations`, of which there are at
  ;; most count + steps; there are at most 2 · count + 3 · steps + 4 records.
  (func (export "make") (param $kind i32) (param $times i32) (param $count i32) (param $stated i32) (param $statedEnd i32)
      (param $durations i32) (param $records i32) (result i32)
    (local $used i32) (local $isMade i32)
    ;; What the column before has touched.
    (if (i32.lt_s (global.get $first) (global.get $end)) (then
      (local.set $used (i32.sub (global.get $end) (global.get $first)))
      (memory.fill (i32.add (global.get $weights) (i32.shl (global.get $first) (i32.const 3)))
        (i32.const 0) (i32.shl (local.get $used) (i32.const 3)))
      (memory.fill (i32.add (global.get $present) (global.get $first)) (i32.const 0) (local.get $used))))
    (global.set $first (i32.const 0x7fffffff))
    (global.set $end (i32.const 0))
    (global.set $times (local.get $times))
    (global.set $count (local.get $count))
    (global.set $stated (local.get $stated))
    (global.set $statedEnd (local.get $statedEnd))
    (global.set $durations (local.get $durations))
    (global.set $records (local.get $records))
    (global.set $step (i32.const -1))
    (global.set $open (i32.const -1))
    (global.set $isOutOfOrder (i32.const 0))
    (local.set $isMade (i32.const 1))
    (block $done
      (block $heldAmounts (block $amounts (block $readings (block $within (block $increases
        (br_table $increases $within $readings $amounts $heldAmounts (local.get $kind)))
        (call $increases)
        (br $done))
        (call $within)
        (br $done))
        (call $readings)
        (br $done))
        (local.set $isMade (call $amounts))
        (br $done))
      (local.set $isMade (call $heldAmounts)))
    (if (i32.or (i32.eqz (local.get $isMade)) (global.get $isOutOfOrder)) (then (return (i32.const 0))))
    (call $endStep)
    (if (i32.eqz (global.get $end)) (then (global.set $first (i32.const 0))))
    (global.get $records))

  ;; Whether each of `count` times is above the one before it.
  (func (export "ascends") (param $times i32) (param $count i32) (result i32)
    (local $end i32) (local $bad i32)
    (local.set $end (i32.add (local.get $times) (i32.shl (local.get $count) (i32.const 3))))
    (block $done (loop $each
      (local.set $times (i32.add (local.get $times) (i32.const 8)))
      (br_if $done (i32.ge_u (local.get $times) (local.get $end)))
      (local.set $bad (i32.or (local.get $bad) (f64.ge
        (f64.load (i32.sub (local.get $times) (i32.const 8)))
        (f64.load (local.get $times)))))
      (br $each)))
    (i32.eqz (local.get $bad)))
)
