;; The loops that fold columns of values into steps, two columns at once, by a program that says which value goes to which
;; step (fold-program.ts). Built into generated/fold.ts by `npm run generate`. The sums are those of compensated-sum.ts,
;; bit by bit: what an addition loses is exact, however it is computed.
(module
  (memory (import "tidemark" "memory") 1)
  ;; Values above it in size take the other way: no sum of those below overflows.
  (global $LIMIT f64 (f64.const 0x1p800))

  ;; Sums of a program of records of 16 bytes: kind (u32), n (u32), factor (f64). Both columns begin at `a` and `b`; a
  ;; difference is that of a value and the one before it, if `isDifference` is 1, or 2 where all values are integers below
  ;; 2^51: sums of their differences are exact. The sums of step s go to outA + 8 · s and outB + 8 · s: divided
  ;; by the f64 at weights + 8 · s and multiplied by 1000 where `weights` is not 0.
  ;; Returns 0 where one of the values has to go the other way: NaN, large, or below the one before if it is a difference.
  ;;   0 skip: n values   1 add: n amounts   2 take: the next amount, of which nothing went to steps yet
  ;;   3 take: of which the factor's share lies before the range   4 cut: add what lies between the last share and this
  ;;   5 rest: add what is left of the amount   6 end: of step n
  (func (export "foldSums") (param $a i32) (param $b i32) (param $isDifference i32) (param $program i32) (param $end i32)
      (param $outA i32) (param $outB i32) (param $weights i32) (result i32)
    (local $n i32) (local $kind i32)
    (local $x v128) (local $mask v128) (local $before v128) (local $amount v128) (local $shared v128) (local $bad v128)
    (local $v v128) (local $total v128) (local $rest v128) (local $residue v128)
    (local $next v128) (local $part v128) (local $lost v128) (local $limit v128)
    (local.set $limit (f64x2.splat (global.get $LIMIT)))
    (if (local.get $isDifference) (then
      (local.set $mask (v128.const i64x2 -1 -1))
      (local.set $before (v128.load64_lane 1 (local.get $b) (v128.load64_zero (local.get $a))))
      (local.set $bad (v128.not (f64x2.le (f64x2.abs (local.get $before)) (local.get $limit))))
      (local.set $a (i32.add (local.get $a) (i32.const 8)))
      (local.set $b (i32.add (local.get $b) (i32.const 8)))))
    (block $done (loop $each
      (br_if $done (i32.ge_u (local.get $program) (local.get $end)))
      (local.set $kind (i32.load (local.get $program)))
      (local.set $n (i32.load offset=4 (local.get $program)))
      (local.set $program (i32.add (local.get $program) (i32.const 16)))
      (block $addition
        (block $finish (block $left (block $cut (block $takeFrom (block $take (block $run (block $skip
          (br_table $skip $run $take $takeFrom $cut $left $finish (local.get $kind)))
          ;; skip
          (loop $more
            (local.set $x (v128.load64_lane 1 (local.get $b) (v128.load64_zero (local.get $a))))
            (local.set $bad (v128.or (local.get $bad) (v128.not (v128.bitselect
              (f64x2.ge (f64x2.sub (local.get $x) (local.get $before)) (v128.const f64x2 0 0))
              (f64x2.le (f64x2.abs (local.get $x)) (local.get $limit))
              (local.get $mask)))))
            (local.set $before (local.get $x))
            (local.set $a (i32.add (local.get $a) (i32.const 8)))
            (local.set $b (i32.add (local.get $b) (i32.const 8)))
            (local.set $n (i32.sub (local.get $n) (i32.const 1)))
            (br_if $more (local.get $n)))
          (br $each))
          ;; add
          (if (i32.and
                (i32.eq (local.get $isDifference) (i32.const 2))
                (i32.eqz (v128.any_true (v128.or (local.get $total) (v128.or (local.get $rest) (local.get $residue))))))
            (then
              ;; The step has nothing yet, and what it gets is the last value without the one before the first.
              (local.set $part (local.get $before))
              (loop $more
                (local.set $x (v128.load64_lane 1 (local.get $b) (v128.load64_zero (local.get $a))))
                (local.set $bad (v128.or (local.get $bad) (v128.not (f64x2.ge (local.get $x) (local.get $before)))))
                (local.set $before (local.get $x))
                (local.set $a (i32.add (local.get $a) (i32.const 8)))
                (local.set $b (i32.add (local.get $b) (i32.const 8)))
                (local.set $n (i32.sub (local.get $n) (i32.const 1)))
                (br_if $more (local.get $n)))
              (local.set $v (f64x2.sub (local.get $before) (local.get $part)))
              (br $addition)))
          (if (local.get $isDifference)
            (then (loop $more
              (local.set $x (v128.load64_lane 1 (local.get $b) (v128.load64_zero (local.get $a))))
              (local.set $v (f64x2.sub (local.get $x) (local.get $before)))
              (local.set $before (local.get $x))
              (local.set $bad (v128.or (local.get $bad) (v128.not (f64x2.ge (local.get $v) (v128.const f64x2 0 0)))))
              (local.set $next (f64x2.add (local.get $total) (local.get $v)))
              (local.set $part (f64x2.sub (local.get $next) (local.get $total)))
              (local.set $lost (f64x2.add
                (f64x2.sub (local.get $total) (f64x2.sub (local.get $next) (local.get $part)))
                (f64x2.sub (local.get $v) (local.get $part))))
              (local.set $total (local.get $next))
              (local.set $next (f64x2.add (local.get $rest) (local.get $lost)))
              (local.set $part (f64x2.sub (local.get $next) (local.get $rest)))
              (local.set $residue (f64x2.add (local.get $residue) (f64x2.add
                (f64x2.sub (local.get $rest) (f64x2.sub (local.get $next) (local.get $part)))
                (f64x2.sub (local.get $lost) (local.get $part)))))
              (local.set $rest (local.get $next))
              (local.set $a (i32.add (local.get $a) (i32.const 8)))
              (local.set $b (i32.add (local.get $b) (i32.const 8)))
              (local.set $n (i32.sub (local.get $n) (i32.const 1)))
              (br_if $more (local.get $n))))
            (else (loop $more
              (local.set $v (v128.load64_lane 1 (local.get $b) (v128.load64_zero (local.get $a))))
              (local.set $bad (v128.or (local.get $bad)
                (v128.not (f64x2.le (f64x2.abs (local.get $v)) (local.get $limit)))))
              (local.set $next (f64x2.add (local.get $total) (local.get $v)))
              (local.set $part (f64x2.sub (local.get $next) (local.get $total)))
              (local.set $lost (f64x2.add
                (f64x2.sub (local.get $total) (f64x2.sub (local.get $next) (local.get $part)))
                (f64x2.sub (local.get $v) (local.get $part))))
              (local.set $total (local.get $next))
              (local.set $next (f64x2.add (local.get $rest) (local.get $lost)))
              (local.set $part (f64x2.sub (local.get $next) (local.get $rest)))
              (local.set $residue (f64x2.add (local.get $residue) (f64x2.add
                (f64x2.sub (local.get $rest) (f64x2.sub (local.get $next) (local.get $part)))
                (f64x2.sub (local.get $lost) (local.get $part)))))
              (local.set $rest (local.get $next))
              (local.set $a (i32.add (local.get $a) (i32.const 8)))
              (local.set $b (i32.add (local.get $b) (i32.const 8)))
              (local.set $n (i32.sub (local.get $n) (i32.const 1)))
              (br_if $more (local.get $n)))))
          (br $each))
          ;; take
          (local.set $x (v128.load64_lane 1 (local.get $b) (v128.load64_zero (local.get $a))))
          (local.set $amount (v128.bitselect
            (f64x2.sub (local.get $x) (local.get $before)) (local.get $x) (local.get $mask)))
          (local.set $before (local.get $x))
          (local.set $bad (v128.or (local.get $bad) (v128.not (v128.bitselect
            (f64x2.ge (local.get $amount) (v128.const f64x2 0 0))
            (f64x2.le (f64x2.abs (local.get $x)) (local.get $limit))
            (local.get $mask)))))
          (local.set $shared (v128.const f64x2 0 0))
          (local.set $a (i32.add (local.get $a) (i32.const 8)))
          (local.set $b (i32.add (local.get $b) (i32.const 8)))
          (br $each))
          ;; take from
          (local.set $x (v128.load64_lane 1 (local.get $b) (v128.load64_zero (local.get $a))))
          (local.set $amount (v128.bitselect
            (f64x2.sub (local.get $x) (local.get $before)) (local.get $x) (local.get $mask)))
          (local.set $before (local.get $x))
          (local.set $bad (v128.or (local.get $bad) (v128.not (v128.bitselect
            (f64x2.ge (local.get $amount) (v128.const f64x2 0 0))
            (f64x2.le (f64x2.abs (local.get $x)) (local.get $limit))
            (local.get $mask)))))
          (local.set $shared (f64x2.mul (local.get $amount)
            (v128.load64_splat (i32.sub (local.get $program) (i32.const 8)))))
          (local.set $a (i32.add (local.get $a) (i32.const 8)))
          (local.set $b (i32.add (local.get $b) (i32.const 8)))
          (br $each))
          ;; cut
          (local.set $part (f64x2.mul (local.get $amount)
            (v128.load64_splat (i32.sub (local.get $program) (i32.const 8)))))
          (local.set $v (f64x2.sub (local.get $part) (local.get $shared)))
          (local.set $shared (local.get $part))
          (br $addition))
          ;; rest
          (local.set $v (f64x2.sub (local.get $amount) (local.get $shared)))
          (br $addition))
        ;; end
        (local.set $v (f64x2.add (local.get $total) (f64x2.add (local.get $rest) (local.get $residue))))
        (local.set $n (i32.shl (local.get $n) (i32.const 3)))
        (if (local.get $weights) (then
          (local.set $v (f64x2.mul
            (f64x2.div (local.get $v) (v128.load64_splat (i32.add (local.get $weights) (local.get $n))))
            (v128.const f64x2 1000 1000)))))
        (v128.store64_lane 0 (i32.add (local.get $outA) (local.get $n)) (local.get $v))
        (v128.store64_lane 1 (i32.add (local.get $outB) (local.get $n)) (local.get $v))
        (local.set $total (v128.const f64x2 0 0))
        (local.set $rest (v128.const f64x2 0 0))
        (local.set $residue (v128.const f64x2 0 0))
        (br $each))
      (local.set $next (f64x2.add (local.get $total) (local.get $v)))
      (local.set $part (f64x2.sub (local.get $next) (local.get $total)))
      (local.set $lost (f64x2.add
        (f64x2.sub (local.get $total) (f64x2.sub (local.get $next) (local.get $part)))
        (f64x2.sub (local.get $v) (local.get $part))))
      (local.set $total (local.get $next))
      (local.set $next (f64x2.add (local.get $rest) (local.get $lost)))
      (local.set $part (f64x2.sub (local.get $next) (local.get $rest)))
      (local.set $residue (f64x2.add (local.get $residue) (f64x2.add
        (f64x2.sub (local.get $rest) (f64x2.sub (local.get $next) (local.get $part)))
        (f64x2.sub (local.get $lost) (local.get $part)))))
      (local.set $rest (local.get $next))
      (br $each)))
    ;; A counter that never fell has its largest value at the end.
    (i32.eqz (v128.any_true (v128.or (local.get $bad) (v128.not (v128.bitselect
      (f64x2.le (f64x2.abs (local.get $before)) (local.get $limit)) (v128.const i64x2 -1 -1) (local.get $mask)))))))

  ;; Values that hold, each as long as its weight says: the f64 at `durations`, one after the other. `fold` is 0 for the
  ;; average by the f64 at weights + 8 · s, 1 the lowest, 2 the highest, 3 the last. Returns 0 where a value is NaN or large.
  ;;   0 skip: n values   1 add: n values   2 again: the last value, in another step   6 end: of step n
  (func (export "foldHeld") (param $a i32) (param $b i32) (param $fold i32) (param $program i32) (param $end i32)
      (param $outA i32) (param $outB i32) (param $weights i32) (param $durations i32) (result i32)
    (local $n i32) (local $kind i32)
    (local $x v128) (local $bad v128) (local $v v128) (local $total v128) (local $rest v128) (local $residue v128)
    (local $next v128) (local $part v128) (local $lost v128) (local $limit v128) (local $min v128) (local $max v128)
    (local.set $limit (f64x2.splat (global.get $LIMIT)))
    (local.set $min (v128.const f64x2 inf inf))
    (local.set $max (v128.const f64x2 -inf -inf))
    (block $done (loop $each
      (br_if $done (i32.ge_u (local.get $program) (local.get $end)))
      (local.set $kind (i32.load (local.get $program)))
      (local.set $n (i32.load offset=4 (local.get $program)))
      (local.set $program (i32.add (local.get $program) (i32.const 16)))
      (if (i32.eqz (local.get $kind)) (then
        (loop $more
          (local.set $bad (v128.or (local.get $bad) (v128.not (f64x2.le
            (f64x2.abs (v128.load64_lane 1 (local.get $b) (v128.load64_zero (local.get $a)))) (local.get $limit)))))
          (local.set $a (i32.add (local.get $a) (i32.const 8)))
          (local.set $b (i32.add (local.get $b) (i32.const 8)))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br_if $more (local.get $n)))
        (br $each)))
      (if (i32.eq (local.get $kind) (i32.const 6)) (then
        (local.set $n (i32.shl (local.get $n) (i32.const 3)))
        ;; NaN among the values is none of the extremes, and makes the sum NaN.
        (local.set $bad (v128.or (local.get $bad) (v128.not (v128.and
          (f64x2.eq (local.get $total) (local.get $total))
          (v128.and
            (f64x2.ge (local.get $min) (f64x2.neg (local.get $limit)))
            (f64x2.le (local.get $max) (local.get $limit)))))))
        (if (i32.eqz (local.get $fold))
          (then
            (local.set $v (f64x2.div
              (f64x2.add (local.get $total) (f64x2.add (local.get $rest) (local.get $residue)))
              (v128.load64_splat (i32.add (local.get $weights) (local.get $n)))))
            (local.set $x (v128.bitselect
              (local.get $min)
              (f64x2.min (local.get $max) (f64x2.max (local.get $min) (local.get $v)))
              (f64x2.eq (local.get $min) (local.get $max)))))
          (else
            (if (i32.eq (local.get $fold) (i32.const 1)) (then (local.set $x (local.get $min))))
            (if (i32.eq (local.get $fold) (i32.const 2)) (then (local.set $x (local.get $max))))))
        (v128.store64_lane 0 (i32.add (local.get $outA) (local.get $n)) (local.get $x))
        (v128.store64_lane 1 (i32.add (local.get $outB) (local.get $n)) (local.get $x))
        (local.set $total (v128.const f64x2 0 0))
        (local.set $rest (v128.const f64x2 0 0))
        (local.set $residue (v128.const f64x2 0 0))
        (local.set $min (v128.const f64x2 inf inf))
        (local.set $max (v128.const f64x2 -inf -inf))
        (br $each)))
      ;; Again: the address goes back to the value.
      (if (i32.eq (local.get $kind) (i32.const 2)) (then
        (local.set $a (i32.sub (local.get $a) (i32.const 8)))
        (local.set $b (i32.sub (local.get $b) (i32.const 8)))))
      (loop $more
        (local.set $x (v128.load64_lane 1 (local.get $b) (v128.load64_zero (local.get $a))))
        (local.set $min (f64x2.pmin (local.get $min) (local.get $x)))
        (local.set $max (f64x2.pmax (local.get $max) (local.get $x)))
        (local.set $v (f64x2.mul (local.get $x) (v128.load64_splat (local.get $durations))))
        (local.set $next (f64x2.add (local.get $total) (local.get $v)))
        (local.set $part (f64x2.sub (local.get $next) (local.get $total)))
        (local.set $lost (f64x2.add
          (f64x2.sub (local.get $total) (f64x2.sub (local.get $next) (local.get $part)))
          (f64x2.sub (local.get $v) (local.get $part))))
        (local.set $total (local.get $next))
        (local.set $next (f64x2.add (local.get $rest) (local.get $lost)))
        (local.set $part (f64x2.sub (local.get $next) (local.get $rest)))
        (local.set $residue (f64x2.add (local.get $residue) (f64x2.add
          (f64x2.sub (local.get $rest) (f64x2.sub (local.get $next) (local.get $part)))
          (f64x2.sub (local.get $lost) (local.get $part)))))
        (local.set $rest (local.get $next))
        (local.set $durations (i32.add (local.get $durations) (i32.const 8)))
        (local.set $a (i32.add (local.get $a) (i32.const 8)))
        (local.set $b (i32.add (local.get $b) (i32.const 8)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br_if $more (local.get $n)))
      (br $each)))
    (i32.eqz (v128.any_true (local.get $bad))))

  ;; Adds `count` values to compensated sums, whose three columns lie `stride` bytes apart.
  (func (export "addSteps") (param $values i32) (param $count i32) (param $sum i32) (param $stride i32)
    (local $rest i32) (local $residue i32)
    (local $v v128) (local $old v128) (local $next v128) (local $part v128) (local $lost v128)
    (local.set $rest (i32.add (local.get $sum) (local.get $stride)))
    (local.set $residue (i32.add (local.get $rest) (local.get $stride)))
    (block $done (loop $pairs
      (br_if $done (i32.lt_s (local.get $count) (i32.const 2)))
      (local.set $v (v128.load align=8 (local.get $values)))
      (local.set $old (v128.load align=8 (local.get $sum)))
      (local.set $next (f64x2.add (local.get $old) (local.get $v)))
      (local.set $part (f64x2.sub (local.get $next) (local.get $old)))
      (local.set $lost (f64x2.add
        (f64x2.sub (local.get $old) (f64x2.sub (local.get $next) (local.get $part)))
        (f64x2.sub (local.get $v) (local.get $part))))
      (v128.store align=8 (local.get $sum) (local.get $next))
      (local.set $old (v128.load align=8 (local.get $rest)))
      (local.set $next (f64x2.add (local.get $old) (local.get $lost)))
      (local.set $part (f64x2.sub (local.get $next) (local.get $old)))
      (v128.store align=8 (local.get $rest) (local.get $next))
      (v128.store align=8 (local.get $residue) (f64x2.add (v128.load align=8 (local.get $residue)) (f64x2.add
        (f64x2.sub (local.get $old) (f64x2.sub (local.get $next) (local.get $part)))
        (f64x2.sub (local.get $lost) (local.get $part)))))
      (local.set $values (i32.add (local.get $values) (i32.const 16)))
      (local.set $sum (i32.add (local.get $sum) (i32.const 16)))
      (local.set $rest (i32.add (local.get $rest) (i32.const 16)))
      (local.set $residue (i32.add (local.get $residue) (i32.const 16)))
      (local.set $count (i32.sub (local.get $count) (i32.const 2)))
      (br $pairs)))
    (if (i32.eqz (local.get $count)) (then (return)))
    (local.set $v (v128.load64_zero (local.get $values)))
    (local.set $old (v128.load64_zero (local.get $sum)))
    (local.set $next (f64x2.add (local.get $old) (local.get $v)))
    (local.set $part (f64x2.sub (local.get $next) (local.get $old)))
    (local.set $lost (f64x2.add
      (f64x2.sub (local.get $old) (f64x2.sub (local.get $next) (local.get $part)))
      (f64x2.sub (local.get $v) (local.get $part))))
    (v128.store64_lane 0 (local.get $sum) (local.get $next))
    (local.set $old (v128.load64_zero (local.get $rest)))
    (local.set $next (f64x2.add (local.get $old) (local.get $lost)))
    (local.set $part (f64x2.sub (local.get $next) (local.get $old)))
    (v128.store64_lane 0 (local.get $rest) (local.get $next))
    (v128.store64_lane 0 (local.get $residue) (f64x2.add (v128.load64_zero (local.get $residue)) (f64x2.add
      (f64x2.sub (local.get $old) (f64x2.sub (local.get $next) (local.get $part)))
      (f64x2.sub (local.get $lost) (local.get $part))))))

  ;; Whether all of `count` values are integers below 2^51 in size, and none is -0. Reads up to one value behind the last.
  (func (export "areWhole") (param $values i32) (param $count i32) (result i32)
    (local $x v128) (local $bad v128) (local $end i32)
    (local.set $end (i32.add (local.get $values) (i32.shl (local.get $count) (i32.const 3))))
    (block $done (loop $pairs
      (br_if $done (i32.ge_u (local.get $values) (local.get $end)))
      (local.set $x (v128.load align=8 (local.get $values)))
      (if (i32.eq (i32.add (local.get $values) (i32.const 8)) (local.get $end))
        (then (local.set $x (i8x16.shuffle 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 (local.get $x) (local.get $x)))))
      (local.set $bad (v128.or (local.get $bad) (v128.or
        (v128.not (v128.and
          (f64x2.eq (f64x2.nearest (local.get $x)) (local.get $x))
          (f64x2.lt (f64x2.abs (local.get $x)) (v128.const f64x2 2251799813685248 2251799813685248))))
        (i64x2.eq (local.get $x) (v128.const i64x2 0x8000000000000000 0x8000000000000000)))))
      (local.set $values (i32.add (local.get $values) (i32.const 16)))
      (br $pairs)))
    (i32.eqz (v128.any_true (local.get $bad))))
)
