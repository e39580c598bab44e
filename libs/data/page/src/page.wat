;; The loops over the columns of a page (docs/formats/page.md): columns of decimal values to bodies and back.
;; Built into generated/page.ts by `npm run generate`. plain-column.ts is the same in TypeScript, byte by byte.
;; Nothing here reads or writes beyond the addresses that it was given, and their slack: PageKernel checks them.
(module
  ;; What the loops work in, and the values of the head, in blocks.
  (memory $bytes (import "tidemark" "bytes") 1)
  (memory $blocks (import "tidemark" "blocks") 1)
  ;; 16 powers of ten, as f64.
  (global $POWERS i32 (i32.const 0))
  ;; Of the last `analyze`: min and max of the integers, min and max of their differences, as f64.
  (global $STATS i32 (i32.const 128))
  ;; For each width up to 25 how eight packed integers become lanes: two swizzles and two factors, 64 bytes a width.
  (global $UNPACK i32 (i32.const 256))

  ;; Copies `count` values and the last once more, and tells whether some of them are no decimals whatever the exponent:
  ;; -0, NaN, infinities. Reads up to one value behind the last.
  (func (export "copyColumn") (param $from i32) (param $count i32) (param $to i32) (result i32)
    (local $end i32) (local $x v128) (local $special v128)
    (local.set $end (i32.add (local.get $from) (i32.shl (local.get $count) (i32.const 3))))
    (loop $pairs
      (local.set $x (v128.load (local.get $from)))
      (if (i32.eq (i32.add (local.get $from) (i32.const 8)) (local.get $end))
        (then (local.set $x (i8x16.shuffle 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 (local.get $x) (local.get $x)))))
      (v128.store (local.get $to) (local.get $x))
      (local.set $special (v128.or (local.get $special) (v128.or
        ;; Not finite: x - x is not 0.
        (f64x2.ne (f64x2.sub (local.get $x) (local.get $x)) (v128.const f64x2 0 0))
        (i64x2.eq (local.get $x) (v128.const i64x2 0x8000000000000000 0x8000000000000000)))))
      (local.set $from (i32.add (local.get $from) (i32.const 16)))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (br_if $pairs (i32.lt_u (local.get $from) (local.get $end))))
    (f64.store (local.get $to) (f64.load (i32.sub (local.get $end) (i32.const 8))))
    (v128.any_true (local.get $special)))

  ;; 1 when each of `count` values is an integer below 2^51 over the power. Then `ints` has them, and STATS their range.
  ;; The value behind the last must be a copy of it.
  (func $analyze (param $values i32) (param $count i32) (param $power f64) (param $ints i32) (result i32)
    (local $i i32) (local $end i32) (local $isOne i32) (local $scale v128)
    (local $x v128) (local $r v128) (local $before v128) (local $bad v128) (local $d v128)
    (local $min v128) (local $max v128) (local $minDelta v128) (local $maxDelta v128)
    (local.set $end (i32.shl (local.get $count) (i32.const 3)))
    (local.set $isOne (f64.eq (local.get $power) (f64.const 1)))
    (local.set $scale (f64x2.splat (local.get $power)))
    (local.set $minDelta (v128.const f64x2 inf inf))
    (local.set $maxDelta (v128.const f64x2 -inf -inf))
    (local.set $x (v128.load64_splat (local.get $values)))
    (local.set $r (f64x2.nearest (f64x2.mul (local.get $x) (local.get $scale))))
    (local.set $bad (f64x2.ne (f64x2.div (local.get $r) (local.get $scale)) (local.get $x)))
    (v128.store64_lane 0 (local.get $ints) (local.get $r))
    (local.set $min (local.get $r))
    (local.set $max (local.get $r))
    (local.set $before (local.get $r))
    (local.set $i (i32.const 8))
    (block $done (loop $pairs
      (br_if $done (i32.ge_u (local.get $i) (local.get $end)))
      (local.set $x (v128.load (i32.add (local.get $values) (local.get $i))))
      (if (local.get $isOne)
        (then
          (local.set $r (f64x2.nearest (local.get $x)))
          (local.set $bad (v128.or (local.get $bad) (f64x2.ne (local.get $r) (local.get $x)))))
        (else
          (local.set $r (f64x2.nearest (f64x2.mul (local.get $x) (local.get $scale))))
          (local.set $bad (v128.or (local.get $bad) (f64x2.ne (f64x2.div (local.get $r) (local.get $scale)) (local.get $x))))))
      (v128.store (i32.add (local.get $ints) (local.get $i)) (local.get $r))
      ;; The difference between the last value and its copy is none of the column's.
      (local.set $d (f64x2.sub (local.get $r)
        (i8x16.shuffle 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 (local.get $before) (local.get $r))))
      (if (i32.eq (i32.add (local.get $i) (i32.const 8)) (local.get $end))
        (then (local.set $d (i8x16.shuffle 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 (local.get $d) (local.get $d)))))
      (local.set $before (local.get $r))
      (local.set $min (f64x2.pmin (local.get $min) (local.get $r)))
      (local.set $max (f64x2.pmax (local.get $max) (local.get $r)))
      (local.set $minDelta (f64x2.pmin (local.get $minDelta) (local.get $d)))
      (local.set $maxDelta (f64x2.pmax (local.get $maxDelta) (local.get $d)))
      (local.set $i (i32.add (local.get $i) (i32.const 16)))
      (br $pairs)))
    (f64.store (global.get $STATS)
      (f64.min (f64x2.extract_lane 0 (local.get $min)) (f64x2.extract_lane 1 (local.get $min))))
    (f64.store offset=8 (global.get $STATS)
      (f64.max (f64x2.extract_lane 0 (local.get $max)) (f64x2.extract_lane 1 (local.get $max))))
    (f64.store offset=16 (global.get $STATS)
      (f64.min (f64x2.extract_lane 0 (local.get $minDelta)) (f64x2.extract_lane 1 (local.get $minDelta))))
    (f64.store offset=24 (global.get $STATS)
      (f64.max (f64x2.extract_lane 0 (local.get $maxDelta)) (f64x2.extract_lane 1 (local.get $maxDelta))))
    (i32.and (i32.eqz (v128.any_true (local.get $bad)))
      (i32.and
        (f64.gt (f64.load (global.get $STATS)) (f64.const -2251799813685248))
        (f64.lt (f64.load offset=8 (global.get $STATS)) (f64.const 2251799813685248)))))

  ;; The least exponent from `e` on with which a value is an integer below 2^51 over a power of ten, or 15.
  (func $digits (param $value f64) (param $e i32) (result i32)
    (local $power f64) (local $r f64)
    (block $found (loop $more
      (br_if $found (i32.ge_u (local.get $e) (i32.const 15)))
      (local.set $power (f64.load (i32.add (global.get $POWERS) (i32.shl (local.get $e) (i32.const 3)))))
      (local.set $r (f64.nearest (f64.mul (local.get $value) (local.get $power))))
      (if (i32.eqz (f64.lt (f64.abs (local.get $r)) (f64.const 2251799813685248))) (then (return (i32.const 15))))
      (br_if $found (f64.eq (f64.div (local.get $r) (local.get $power)) (local.get $value)))
      (local.set $e (i32.add (local.get $e) (i32.const 1)))
      (br $more)))
    (local.get $e))

  ;; The least exponent of all of `count` values, with `ints` and STATS of it; 15 when some are no such decimals.
  (func $scale (param $values i32) (param $count i32) (param $ints i32) (result i32)
    (local $e i32) (local $i i32) (local $stride i32) (local $end i32)
    (local.set $end (i32.shl (local.get $count) (i32.const 3)))
    ;; A few values nearly always show how many digits the column needs.
    (local.set $stride (i32.shl (i32.add (i32.shr_u (local.get $count) (i32.const 2)) (i32.const 1)) (i32.const 3)))
    (loop $sample
      (local.set $e (call $digits (f64.load (i32.add (local.get $values) (local.get $i))) (local.get $e)))
      (local.set $i (i32.add (local.get $i) (local.get $stride)))
      (br_if $sample (i32.lt_u (local.get $i) (local.get $end))))
    (block $done (loop $again
      (br_if $done (i32.eq (local.get $e) (i32.const 15)))
      (br_if $done (call $analyze (local.get $values) (local.get $count)
        (f64.load (i32.add (global.get $POWERS) (i32.shl (local.get $e) (i32.const 3)))) (local.get $ints)))
      ;; The values up to the first that needs more digits need none.
      (local.set $i (i32.const 0))
      (local.set $stride (local.get $e))
      (loop $find
        (local.set $e (call $digits (f64.load (i32.add (local.get $values) (local.get $i))) (local.get $stride)))
        (local.set $i (i32.add (local.get $i) (i32.const 8)))
        (br_if $find (i32.and (i32.eq (local.get $e) (local.get $stride)) (i32.lt_u (local.get $i) (local.get $end)))))
      ;; All values have that many digits, and yet the column failed: some lie at the limit. They go another way.
      (if (i32.eq (local.get $e) (local.get $stride)) (then (local.set $e (i32.const 15))))
      (br $again)))
    (local.get $e))

  ;; Writes an integer below 2^53 in zigzag form, in as few bytes as it takes, and up to 7 behind them; returns its end.
  (func $putInteger (param $value f64) (param $out i32) (result i32)
    (local $z i64)
    (local.set $z (i64.trunc_sat_f64_s (local.get $value)))
    (local.set $z (i64.xor (i64.shl (local.get $z) (i64.const 1)) (i64.shr_s (local.get $z) (i64.const 63))))
    (i64.store $bytes align=1 (local.get $out) (local.get $z))
    (i32.add (local.get $out)
      (i32.shr_u (i32.sub (i32.const 71) (i32.wrap_i64 (i64.clz (local.get $z)))) (i32.const 3))))

  (func $getInteger (param $at i32) (param $length i32) (result f64)
    (local $z i64)
    (if (i32.eqz (local.get $length)) (then (return (f64.const 0))))
    (local.set $z (i64.and (i64.load $bytes align=1 (local.get $at))
      (i64.shr_u (i64.const -1) (i64.extend_i32_u (i32.sub (i32.const 64) (i32.shl (local.get $length) (i32.const 3)))))))
    (f64.convert_i64_s
      (i64.xor (i64.shr_u (local.get $z) (i64.const 1)) (i64.sub (i64.const 0) (i64.and (local.get $z) (i64.const 1))))))

  ;; Bits that a difference of two integers takes.
  (func $bits (param $range f64) (result i32)
    (i32.sub (i32.const 64) (i32.wrap_i64 (i64.clz (i64.trunc_sat_f64_u (local.get $range))))))

  ;; Packs `count` u64 of at most `width` bits, without their lowest `shift` bits, and writes up to 7 bytes behind
  ;; their end, which it returns.
  (func $pack (param $words i32) (param $count i32) (param $width i32) (param $shift i64) (param $out i32) (result i32)
    (local $end i32) (local $acc i64) (local $filled i32) (local $one i64)
    (local.set $end (i32.add (local.get $words) (i32.shl (local.get $count) (i32.const 3))))
    (local.set $one (i64.extend_i32_u (local.get $width)))
    (if (i32.le_u (local.get $width) (i32.const 28)) (then
      ;; Two at once.
      (block $stop (loop $two
        (br_if $stop (i32.gt_u (i32.add (local.get $words) (i32.const 16)) (local.get $end)))
        (local.set $acc (i64.or (local.get $acc) (i64.shl
          (i64.or
            (i64.shr_u (i64.load $bytes (local.get $words)) (local.get $shift))
            (i64.shl (i64.shr_u (i64.load $bytes offset=8 (local.get $words)) (local.get $shift)) (local.get $one)))
          (i64.extend_i32_u (local.get $filled)))))
        (local.set $filled (i32.add (local.get $filled) (i32.shl (local.get $width) (i32.const 1))))
        (i64.store $bytes align=1 (local.get $out) (local.get $acc))
        (local.set $out (i32.add (local.get $out) (i32.shr_u (local.get $filled) (i32.const 3))))
        (local.set $acc (i64.shr_u (local.get $acc) (i64.extend_i32_u (i32.and (local.get $filled) (i32.const 56)))))
        (local.set $filled (i32.and (local.get $filled) (i32.const 7)))
        (local.set $words (i32.add (local.get $words) (i32.const 16)))
        (br $two)))))
    (block $stop (loop $each
      (br_if $stop (i32.ge_u (local.get $words) (local.get $end)))
      (local.set $acc (i64.or (local.get $acc) (i64.shl
        (i64.shr_u (i64.load $bytes (local.get $words)) (local.get $shift)) (i64.extend_i32_u (local.get $filled)))))
      (local.set $filled (i32.add (local.get $filled) (local.get $width)))
      (i64.store $bytes align=1 (local.get $out) (local.get $acc))
      (local.set $out (i32.add (local.get $out) (i32.shr_u (local.get $filled) (i32.const 3))))
      (local.set $acc (i64.shr_u (local.get $acc) (i64.extend_i32_u (i32.and (local.get $filled) (i32.const 56)))))
      (local.set $filled (i32.and (local.get $filled) (i32.const 7)))
      (local.set $words (i32.add (local.get $words) (i32.const 8)))
      (br $each)))
    (if (local.get $filled) (then
      (i64.store $bytes align=1 (local.get $out) (local.get $acc))
      (local.set $out (i32.add (local.get $out) (i32.const 1)))))
    (local.get $out))

  ;; Bits that all of the words that were joined by "or" lack at their low end, in steps of four, at most 12.
  (func $shiftOf (param $joined v128) (result i32)
    (i32.and
      (i32.wrap_i64 (i64.ctz (i64.or
        (i64.or (i64x2.extract_lane 0 (local.get $joined)) (i64x2.extract_lane 1 (local.get $joined)))
        (i64.const 4096))))
      (i32.const 12)))

  ;; Encodes `count` values, at least one: 3 bytes to `table`, the body to `out`, whose end it returns. 0 when some
  ;; value is no decimal. `scratch` has room for count + 2 integers. Writes up to 7 bytes behind the body.
  (func (export "encodeColumn") (param $values i32) (param $count i32) (param $scratch i32) (param $table i32) (param $out i32) (result i32)
    (local $e i32) (local $kind i32) (local $width i32) (local $deltaWidth i32) (local $start i32) (local $middle i32)
    (local $i i32) (local $end i32) (local $base f64) (local $low v128) (local $word v128) (local $joined v128) (local $shift i32)
    (local.set $e (call $scale (local.get $values) (local.get $count) (local.get $scratch)))
    (if (i32.eq (local.get $e) (i32.const 15)) (then (return (i32.const 0))))
    (local.set $start (local.get $out))
    (local.set $width (call $bits (f64.sub (f64.load offset=8 (global.get $STATS)) (f64.load (global.get $STATS)))))
    (if (i32.eqz (local.get $width)) (then
      (local.set $out (call $putInteger (f64.load (global.get $STATS)) (local.get $out)))
      (i32.store16 $bytes align=1 (local.get $table) (i32.shl (local.get $e) (i32.const 3)))
      (i32.store8 offset=2 (local.get $table) (i32.sub (local.get $out) (local.get $start)))
      (return (local.get $out))))
    (local.set $deltaWidth (call $bits (f64.sub (f64.load offset=24 (global.get $STATS)) (f64.load offset=16 (global.get $STATS)))))
    (local.set $end (i32.shl (local.get $count) (i32.const 3)))
    (if (i32.lt_u (local.get $deltaWidth) (local.get $width))
      (then
        (local.set $kind (i32.const 2))
        (local.set $width (local.get $deltaWidth))
        (local.set $base (f64.load offset=16 (global.get $STATS)))
        (local.set $out (call $putInteger (f64.load (local.get $scratch)) (local.get $out)))
        (local.set $middle (local.get $out))
        (local.set $out (call $putInteger (local.get $base) (local.get $out)))
        (local.set $end (i32.sub (local.get $end) (i32.const 8))))
      (else
        (local.set $kind (i32.const 1))
        (local.set $base (f64.load (global.get $STATS)))
        (local.set $out (call $putInteger (local.get $base) (local.get $out)))
        (local.set $middle (local.get $out))))
    (i32.store8 offset=2 (local.get $table) (i32.or (i32.sub (local.get $middle) (local.get $start))
      (i32.shl (i32.sub (local.get $out) (local.get $middle)) (i32.const 4))))
    (if (local.get $width) (then
      ;; The integers become distances, in place; the one behind the last gets a distance of 0.
      (local.set $i (i32.add (local.get $scratch) (i32.shl (local.get $count) (i32.const 3))))
      (f64.store (local.get $i) (select
        (f64.add (f64.load (i32.sub (local.get $i) (i32.const 8))) (local.get $base))
        (local.get $base)
        (i32.eq (local.get $kind) (i32.const 2))))
      (local.set $low (f64x2.splat (local.get $base)))
      (local.set $i (i32.const 0))
      (if (i32.eq (local.get $kind) (i32.const 2))
        (then (loop $pairs
          (local.set $word (f64x2.sub
            (f64x2.sub
              (v128.load offset=8 (i32.add (local.get $scratch) (local.get $i)))
              (v128.load (i32.add (local.get $scratch) (local.get $i))))
            (local.get $low)))
          (local.set $word (i64x2.sub (f64x2.add (local.get $word) (v128.const f64x2 4503599627370496 4503599627370496))
            (v128.const i64x2 0x4330000000000000 0x4330000000000000)))
          (local.set $joined (v128.or (local.get $joined) (local.get $word)))
          (v128.store (i32.add (local.get $scratch) (local.get $i)) (local.get $word))
          (local.set $i (i32.add (local.get $i) (i32.const 16)))
          (br_if $pairs (i32.lt_u (local.get $i) (local.get $end)))))
        (else (loop $pairs
          (local.set $word (f64x2.sub (v128.load (i32.add (local.get $scratch) (local.get $i))) (local.get $low)))
          (local.set $word (i64x2.sub (f64x2.add (local.get $word) (v128.const f64x2 4503599627370496 4503599627370496))
            (v128.const i64x2 0x4330000000000000 0x4330000000000000)))
          (local.set $joined (v128.or (local.get $joined) (local.get $word)))
          (v128.store (i32.add (local.get $scratch) (local.get $i)) (local.get $word))
          (local.set $i (i32.add (local.get $i) (i32.const 16)))
          (br_if $pairs (i32.lt_u (local.get $i) (local.get $end))))))
      (local.set $shift (call $shiftOf (local.get $joined)))
      (local.set $width (i32.sub (local.get $width) (local.get $shift)))
      (local.set $out (call $pack (local.get $scratch) (i32.shr_u (local.get $end) (i32.const 3)) (local.get $width)
        (i64.extend_i32_u (local.get $shift)) (local.get $out)))))
    (i32.store8 (local.get $table) (i32.or (local.get $kind) (i32.shl (local.get $e) (i32.const 3))))
    (i32.store8 offset=1 (local.get $table) (i32.or (local.get $width) (i32.shl (local.get $shift) (i32.const 4))))
    (local.get $out))

  ;; Decodes a body of `count` values to `to`, and up to 9 values behind them. Its table entry was checked. Reads up to
  ;; 32 bytes behind the body.
  (func $decodeColumn (export "decodeColumn") (param $table i32) (param $body i32) (param $count i32) (param $to i32)
    (local $kind i32) (local $width i32) (local $shift i32) (local $lengths i32) (local $power f64) (local $isOne i32)
    (local $first f64) (local $least f64) (local $value f64) (local $word f64) (local $unit f64)
    (local $left i32) (local $at i32) (local $bit i32) (local $half i32) (local $isDelta i32)
    (local $swizzle0 v128) (local $factor0 v128) (local $swizzle1 v128) (local $factor1 v128) (local $mask v128)
    (local $x v128) (local $step v128) (local $carry v128) (local $base v128) (local $scale v128)
    (local.set $kind (i32.and (i32.load8_u (local.get $table)) (i32.const 7)))
    (local.set $isDelta (i32.eq (local.get $kind) (i32.const 2)))
    (local.set $power (f64.load (i32.add (global.get $POWERS) (i32.and (i32.load8_u (local.get $table)) (i32.const 0x78)))))
    (local.set $isOne (f64.eq (local.get $power) (f64.const 1)))
    (local.set $width (i32.and (i32.load8_u offset=1 (local.get $table)) (i32.const 63)))
    (local.set $shift (i32.and (i32.shr_u (i32.load8_u offset=1 (local.get $table)) (i32.const 4)) (i32.const 12)))
    (local.set $lengths (i32.load8_u offset=2 (local.get $table)))
    (local.set $first (call $getInteger (local.get $body) (i32.and (local.get $lengths) (i32.const 15))))
    (local.set $body (i32.add (local.get $body) (i32.and (local.get $lengths) (i32.const 15))))
    (local.set $least (call $getInteger (local.get $body) (i32.shr_u (local.get $lengths) (i32.const 4))))
    (local.set $body (i32.add (local.get $body) (i32.shr_u (local.get $lengths) (i32.const 4))))
    (local.set $scale (f64x2.splat (local.get $power)))
    (local.set $left (local.get $count))
    (if (i32.eqz (local.get $kind)) (then
      (local.set $base (f64x2.splat (f64.div (local.get $first) (local.get $power))))
      (loop $fill
        (v128.store (local.get $to) (local.get $base))
        (local.set $to (i32.add (local.get $to) (i32.const 16)))
        (local.set $left (i32.sub (local.get $left) (i32.const 2)))
        (br_if $fill (i32.gt_s (local.get $left) (i32.const 0))))
      (return)))
    (if (local.get $isDelta) (then
      (f64.store (local.get $to) (f64.div (local.get $first) (local.get $power)))
      (local.set $to (i32.add (local.get $to) (i32.const 8)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))))
    ;; Eight at once where an integer fits 25 bits, and all sums 31.
    (local.set $unit (f64.convert_i64_u (i64.shl (i64.const 1) (i64.extend_i32_u (i32.add (local.get $width) (local.get $shift))))))
    (if (i32.and (i32.le_u (local.get $width) (i32.const 25))
          (f64.lt
            (select
              (f64.mul (f64.convert_i32_u (local.get $count)) (f64.add (f64.abs (local.get $least)) (local.get $unit)))
              (local.get $unit)
              (local.get $isDelta))
            (f64.const 2147483648)))
      (then
        (local.set $at (i32.add (global.get $UNPACK) (i32.shl (local.get $width) (i32.const 6))))
        (local.set $swizzle0 (v128.load (local.get $at)))
        (local.set $factor0 (v128.load offset=16 (local.get $at)))
        (local.set $swizzle1 (v128.load offset=32 (local.get $at)))
        (local.set $factor1 (v128.load offset=48 (local.get $at)))
        (local.set $half (i32.shr_u (local.get $width) (i32.const 1)))
        (local.set $mask (i32x4.splat (i32.sub (i32.shl (i32.const 1) (local.get $width)) (i32.const 1))))
        (local.set $step (i32x4.splat (i32.trunc_sat_f64_s (local.get $least))))
        (local.set $base (f64x2.splat (local.get $first)))
        (block $done (loop $four
          (br_if $done (i32.le_s (local.get $left) (i32.const 0)))
          ;; The first four of eight, then the other four.
          (local.set $x (i32x4.shl (v128.and (i32x4.shr_u
            (i32x4.mul (i8x16.swizzle (v128.load $bytes align=1 (local.get $body)) (local.get $swizzle0)) (local.get $factor0))
            (i32.const 7)) (local.get $mask)) (local.get $shift)))
          (if (local.get $isDelta) (then
            (local.set $x (i32x4.add (local.get $x) (local.get $step)))
            (local.set $x (i32x4.add (local.get $x)
              (i8x16.shuffle 16 17 18 19 0 1 2 3 4 5 6 7 8 9 10 11 (local.get $x) (v128.const i32x4 0 0 0 0))))
            (local.set $x (i32x4.add (local.get $x)
              (i8x16.shuffle 16 17 18 19 20 21 22 23 0 1 2 3 4 5 6 7 (local.get $x) (v128.const i32x4 0 0 0 0))))
            (local.set $x (i32x4.add (local.get $x) (local.get $carry)))
            (local.set $carry
              (i8x16.shuffle 12 13 14 15 12 13 14 15 12 13 14 15 12 13 14 15 (local.get $x) (local.get $x)))))
          (if (local.get $isOne)
            (then
              (v128.store $bytes align=8 (local.get $to)
                (f64x2.add (f64x2.convert_low_i32x4_s (local.get $x)) (local.get $base)))
              (v128.store $bytes offset=16 align=8 (local.get $to) (f64x2.add (f64x2.convert_low_i32x4_s
                (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $x) (local.get $x))) (local.get $base))))
            (else
              (v128.store $bytes align=8 (local.get $to) (f64x2.div
                (f64x2.add (f64x2.convert_low_i32x4_s (local.get $x)) (local.get $base)) (local.get $scale)))
              (v128.store $bytes offset=16 align=8 (local.get $to) (f64x2.div (f64x2.add (f64x2.convert_low_i32x4_s
                (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $x) (local.get $x))) (local.get $base))
                (local.get $scale)))))
          (local.set $to (i32.add (local.get $to) (i32.const 32)))
          (local.set $left (i32.sub (local.get $left) (i32.const 4)))
          (br_if $done (i32.le_s (local.get $left) (i32.const 0)))
          (local.set $x (i32x4.shl (v128.and (i32x4.shr_u
            (i32x4.mul
              (i8x16.swizzle (v128.load $bytes align=1 (i32.add (local.get $body) (local.get $half))) (local.get $swizzle1))
              (local.get $factor1))
            (i32.const 7)) (local.get $mask)) (local.get $shift)))
          (local.set $body (i32.add (local.get $body) (local.get $width)))
          (if (local.get $isDelta) (then
            (local.set $x (i32x4.add (local.get $x) (local.get $step)))
            (local.set $x (i32x4.add (local.get $x)
              (i8x16.shuffle 16 17 18 19 0 1 2 3 4 5 6 7 8 9 10 11 (local.get $x) (v128.const i32x4 0 0 0 0))))
            (local.set $x (i32x4.add (local.get $x)
              (i8x16.shuffle 16 17 18 19 20 21 22 23 0 1 2 3 4 5 6 7 (local.get $x) (v128.const i32x4 0 0 0 0))))
            (local.set $x (i32x4.add (local.get $x) (local.get $carry)))
            (local.set $carry
              (i8x16.shuffle 12 13 14 15 12 13 14 15 12 13 14 15 12 13 14 15 (local.get $x) (local.get $x)))))
          (if (local.get $isOne)
            (then
              (v128.store $bytes align=8 (local.get $to)
                (f64x2.add (f64x2.convert_low_i32x4_s (local.get $x)) (local.get $base)))
              (v128.store $bytes offset=16 align=8 (local.get $to) (f64x2.add (f64x2.convert_low_i32x4_s
                (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $x) (local.get $x))) (local.get $base))))
            (else
              (v128.store $bytes align=8 (local.get $to) (f64x2.div
                (f64x2.add (f64x2.convert_low_i32x4_s (local.get $x)) (local.get $base)) (local.get $scale)))
              (v128.store $bytes offset=16 align=8 (local.get $to) (f64x2.div (f64x2.add (f64x2.convert_low_i32x4_s
                (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $x) (local.get $x))) (local.get $base))
                (local.get $scale)))))
          (local.set $to (i32.add (local.get $to) (i32.const 32)))
          (local.set $left (i32.sub (local.get $left) (i32.const 4)))
          (br $four)))
        (return)))
    ;; What is wide, one by one.
    (local.set $value (local.get $first))
    (local.set $unit (f64.convert_i32_u (i32.shl (i32.const 1) (local.get $shift))))
    (block $done (loop $each
      (br_if $done (i32.le_s (local.get $left) (i32.const 0)))
      (local.set $word (f64.mul (local.get $unit) (f64.convert_i64_u (i64.and
        (i64.shr_u
          (i64.load $bytes align=1 (i32.add (local.get $body) (i32.shr_u (local.get $bit) (i32.const 3))))
          (i64.extend_i32_u (i32.and (local.get $bit) (i32.const 7))))
        (i64.sub (i64.shl (i64.const 1) (i64.extend_i32_u (local.get $width))) (i64.const 1))))))
      (if (local.get $isDelta)
        (then
          (local.set $value (f64.add (local.get $value) (f64.add (local.get $least) (local.get $word))))
          (f64.store (local.get $to) (f64.div (local.get $value) (local.get $power))))
        (else (f64.store (local.get $to) (f64.div (f64.add (local.get $first) (local.get $word)) (local.get $power)))))
      (local.set $to (i32.add (local.get $to) (i32.const 8)))
      (local.set $bit (i32.add (local.get $bit) (local.get $width)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br $each))))

  ;; Decodes the values of one slot of several pages, one behind the other, to `to`, and up to 9 values behind them. Pages are
  ;; records of 16 bytes: the addresses of the entries, of where each body begins in the page (u32), and of the page, and the
  ;; number of values. Returns 0 where one of the bodies is not of decimals, or has exceptions, 2 where all values are
  ;; integers, else 1.
  (func (export "decodeSlots") (param $pages i32) (param $end i32) (param $slot i32) (param $to i32) (result i32)
    (local $entry i32) (local $head i32) (local $count i32) (local $joined i32)
    (block $done (loop $each
      (br_if $done (i32.ge_u (local.get $pages) (local.get $end)))
      (local.set $entry (i32.add (i32.load (local.get $pages)) (i32.mul (local.get $slot) (i32.const 3))))
      (local.set $head (i32.load8_u (local.get $entry)))
      (if (i32.or
            (i32.and (local.get $head) (i32.const 0x80))
            (i32.ge_u (i32.and (local.get $head) (i32.const 7)) (i32.const 3)))
        (then (return (i32.const 0))))
      (local.set $joined (i32.or (local.get $joined) (local.get $head)))
      (local.set $count (i32.load offset=12 (local.get $pages)))
      (call $decodeColumn
        (local.get $entry)
        (i32.add (i32.load offset=8 (local.get $pages))
          (i32.load (i32.add (i32.load offset=4 (local.get $pages)) (i32.shl (local.get $slot) (i32.const 2)))))
        (local.get $count)
        (local.get $to))
      (local.set $to (i32.add (local.get $to) (i32.shl (local.get $count) (i32.const 3))))
      (local.set $pages (i32.add (local.get $pages) (i32.const 16)))
      (br $each)))
    ;; The exponent.
    (select (i32.const 1) (i32.const 2) (i32.and (local.get $joined) (i32.const 0x78))))

  ;; Copies the `count` values of a list of blocks to `to`, and up to 15 values behind them. A block has 15 values, and
  ;; in the place of a sixteenth the address of the block behind it.
  (func (export "gatherBlocks") (param $block i32) (param $count i32) (param $to i32)
    (loop $each
      (i64.store $bytes (local.get $to) (i64.load $blocks (local.get $block)))
      (i64.store $bytes offset=8 (local.get $to) (i64.load $blocks offset=8 (local.get $block)))
      (i64.store $bytes offset=16 (local.get $to) (i64.load $blocks offset=16 (local.get $block)))
      (i64.store $bytes offset=24 (local.get $to) (i64.load $blocks offset=24 (local.get $block)))
      (i64.store $bytes offset=32 (local.get $to) (i64.load $blocks offset=32 (local.get $block)))
      (i64.store $bytes offset=40 (local.get $to) (i64.load $blocks offset=40 (local.get $block)))
      (i64.store $bytes offset=48 (local.get $to) (i64.load $blocks offset=48 (local.get $block)))
      (i64.store $bytes offset=56 (local.get $to) (i64.load $blocks offset=56 (local.get $block)))
      (i64.store $bytes offset=64 (local.get $to) (i64.load $blocks offset=64 (local.get $block)))
      (i64.store $bytes offset=72 (local.get $to) (i64.load $blocks offset=72 (local.get $block)))
      (i64.store $bytes offset=80 (local.get $to) (i64.load $blocks offset=80 (local.get $block)))
      (i64.store $bytes offset=88 (local.get $to) (i64.load $blocks offset=88 (local.get $block)))
      (i64.store $bytes offset=96 (local.get $to) (i64.load $blocks offset=96 (local.get $block)))
      (i64.store $bytes offset=104 (local.get $to) (i64.load $blocks offset=104 (local.get $block)))
      (i64.store $bytes offset=112 (local.get $to) (i64.load $blocks offset=112 (local.get $block)))
      (local.set $block (i32.load $blocks offset=120 (local.get $block)))
      (local.set $to (i32.add (local.get $to) (i32.const 120)))
      (local.set $count (i32.sub (local.get $count) (i32.const 15)))
      (br_if $each (i32.gt_s (local.get $count) (i32.const 0)))))

  ;; Copies one value of each of `rows` rows, which lie `stride` bytes apart, to `to`.
  (func (export "gatherRows") (param $value i32) (param $stride i32) (param $rows i32) (param $to i32)
    (loop $each
      (i64.store $bytes (local.get $to) (i64.load $blocks (local.get $value)))
      (local.set $value (i32.add (local.get $value) (local.get $stride)))
      (local.set $to (i32.add (local.get $to) (i32.const 8)))
      (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
      (br_if $each (i32.gt_s (local.get $rows) (i32.const 0)))))

  ;; Adds the hashes of `count` points under the two seeds (i64) at `seeds` to the two sums behind them. All NaN are one value.
  ;; Each lane maps times and values one to one under a seed (docs/formats/point-store.md).
  (func (export "hashPoints") (param $seeds i32) (param $times i32) (param $values i32) (param $count i32)
    (local $seedA i64) (local $seedB i64) (local $sumA i64) (local $sumB i64) (local $end i32)
    (local $time i64) (local $value i64) (local $a i64) (local $b i64)
    (local.set $seedA (i64.load (local.get $seeds)))
    (local.set $seedB (i64.load offset=8 (local.get $seeds)))
    (local.set $sumA (i64.load offset=16 (local.get $seeds)))
    (local.set $sumB (i64.load offset=24 (local.get $seeds)))
    (local.set $end (i32.add (local.get $times) (i32.shl (local.get $count) (i32.const 3))))
    (block $done (loop $each
      (br_if $done (i32.ge_u (local.get $times) (local.get $end)))
      (local.set $time (i64.load (local.get $times)))
      (local.set $value (i64.load (local.get $values)))
      (if (f64.ne (f64.load (local.get $values)) (f64.load (local.get $values)))
        (then (local.set $value (i64.const 0x7ff8000000000000))))
      (local.set $a (i64.mul (i64.xor (local.get $seedA) (local.get $time)) (i64.const 0x9e3779b97f4a7c15)))
      (local.set $b (i64.mul (i64.xor (local.get $seedB) (local.get $time)) (i64.const 0xd6e8feb86659fd93)))
      (local.set $a (i64.mul (i64.const 0xff51afd7ed558ccd)
        (i64.xor (local.get $value) (i64.xor (local.get $a) (i64.shr_u (local.get $a) (i64.const 32))))))
      (local.set $b (i64.mul (i64.const 0xc4ceb9fe1a85ec53)
        (i64.xor (local.get $value) (i64.xor (local.get $b) (i64.shr_u (local.get $b) (i64.const 32))))))
      (local.set $a (i64.mul (i64.const 0xc4ceb9fe1a85ec53) (i64.xor (local.get $a) (i64.shr_u (local.get $a) (i64.const 29)))))
      (local.set $b (i64.mul (i64.const 0xff51afd7ed558ccd) (i64.xor (local.get $b) (i64.shr_u (local.get $b) (i64.const 29)))))
      (local.set $sumA (i64.add (local.get $sumA) (i64.xor (local.get $a) (i64.shr_u (local.get $a) (i64.const 32)))))
      (local.set $sumB (i64.add (local.get $sumB) (i64.xor (local.get $b) (i64.shr_u (local.get $b) (i64.const 32)))))
      (local.set $times (i32.add (local.get $times) (i32.const 8)))
      (local.set $values (i32.add (local.get $values) (i32.const 8)))
      (br $each)))
    (i64.store offset=16 (local.get $seeds) (local.get $sumA))
    (i64.store offset=24 (local.get $seeds) (local.get $sumB)))
)
