;; The inner loops of a remote-write body: Snappy's block format, and samples of series in the order of the last body.
;; Built into generated/write-body.ts by `npm run generate`. See docs/performance.md for why.
(module
  ;; Labels of all series, in entries. Address 0 means no entry.
  (memory $labels (import "tidemark" "labels") 1)
  ;; One body at a time: compressed bytes, uncompressed bytes, and samples.
  (memory $body (export "body") 1)

  ;; Further results are at the body's addresses 0 and 4. Of `series`: number of samples so far, and the last entry.
  ;; Of `uncompress`: where to continue, `from` and `to`.
  ;; Decompresses the elements at [from, end) to [to, toEnd). Output begins at `start`. Returns -1 at the end, -2 when
  ;; output reaches `stop` before, or the address of an element that does not fit.
  ;; Reads and writes up to 64 bytes behind either end: an element of any size is copied as 64 bytes.
  (func $uncompress (export "uncompress") (param $from i32) (param $end i32) (param $start i32) (param $to i32) (param $toEnd i32) (param $stop i32)
    (result i32)
    (local $tag i32) (local $kind i32) (local $size i32) (local $source i32) (local $element i32)
    (local $word i32)
    (block $done
      (loop $next
        (local.set $element (local.get $from))
        (br_if $done (i32.ge_u (local.get $from) (local.get $end)))
        (if (i32.ge_u (local.get $to) (local.get $stop))
          (then
            (i32.store $body (i32.const 0) (local.get $from))
            (i32.store $body offset=4 (i32.const 0) (local.get $to))
            (return (i32.const -2))))
        (local.set $tag (i32.load8_u $body (local.get $from)))
        (local.set $word (i32.load $body offset=1 align=1 (local.get $from)))
        (local.set $kind (i32.and (local.get $tag) (i32.const 3)))
        (if (local.get $kind)
          (then
            (if (i32.eq (local.get $kind) (i32.const 1))
              (then
                ;; 4 to 11 bytes, a distance of 11 bits.
                (local.set $size
                  (i32.add (i32.and (i32.shr_u (local.get $tag) (i32.const 2)) (i32.const 7)) (i32.const 4)))
                (local.set $source
                  (i32.or
                    (i32.shl (i32.and (local.get $tag) (i32.const 0xe0)) (i32.const 3))
                    (i32.and (local.get $word) (i32.const 0xff))))
                (local.set $from (i32.add (local.get $from) (i32.const 2))))
              (else
                ;; 1 to 64 bytes, a distance of 16 or 32 bits.
                (local.set $size (i32.add (i32.shr_u (local.get $tag) (i32.const 2)) (i32.const 1)))
                (if (i32.eq (local.get $kind) (i32.const 2))
                  (then
                    (local.set $source (i32.and (local.get $word) (i32.const 0xffff)))
                    (local.set $from (i32.add (local.get $from) (i32.const 3))))
                  (else
                    (local.set $source (local.get $word))
                    (local.set $from (i32.add (local.get $from) (i32.const 5)))))))
            ;; A distance of 0 wraps to the highest value and is refused as well.
            (br_if $done
              (i32.ge_u (i32.sub (local.get $source) (i32.const 1)) (i32.sub (local.get $to) (local.get $start))))
            (br_if $done (i32.gt_u (local.get $size) (i32.sub (local.get $toEnd) (local.get $to))))
            (if (i32.lt_u (local.get $source) (i32.const 16))
              (then
                ;; The copied bytes were not written yet: a pattern that repeats itself.
                (call $repeat (local.get $to) (local.get $source) (local.get $size))
                (local.set $to (i32.add (local.get $to) (local.get $size)))
                (br $next)))
            (local.set $source (i32.sub (local.get $to) (local.get $source))))
          (else
            (local.set $size (i32.add (i32.shr_u (local.get $tag) (i32.const 2)) (i32.const 1)))
            (local.set $from (i32.add (local.get $from) (i32.const 1)))
            (if (i32.gt_u (local.get $size) (i32.const 60))
              (then
                ;; The length minus one is in the 1 to 4 bytes that follow.
                (local.set $kind (i32.sub (local.get $size) (i32.const 60)))
                (local.set $from (i32.add (local.get $from) (local.get $kind)))
                (local.set $size
                  (i32.and
                    (local.get $word)
                    (i32.shr_u (i32.const -1) (i32.sub (i32.const 32) (i32.shl (local.get $kind) (i32.const 3))))))
                (br_if $done (i32.ge_u (local.get $from) (local.get $end)))
                ;; Minus one, so that four bytes cannot wrap.
                (br_if $done (i32.ge_u (local.get $size) (i32.sub (local.get $end) (local.get $from))))
                (br_if $done (i32.ge_u (local.get $size) (i32.sub (local.get $toEnd) (local.get $to))))
                (local.set $size (i32.add (local.get $size) (i32.const 1)))
                (memory.copy $body $body (local.get $to) (local.get $from) (local.get $size))
                (local.set $from (i32.add (local.get $from) (local.get $size)))
                (local.set $to (i32.add (local.get $to) (local.get $size)))
                (br $next)))
            (br_if $done (i32.gt_u (local.get $size) (i32.sub (local.get $end) (local.get $from))))
            (br_if $done (i32.gt_u (local.get $size) (i32.sub (local.get $toEnd) (local.get $to))))
            (local.set $source (local.get $from))
            (local.set $from (i32.add (local.get $from) (local.get $size)))))
        (v128.store $body align=1 (local.get $to) (v128.load $body align=1 (local.get $source)))
        (v128.store $body offset=16 align=1 (local.get $to) (v128.load $body offset=16 align=1 (local.get $source)))
        (v128.store $body offset=32 align=1 (local.get $to) (v128.load $body offset=32 align=1 (local.get $source)))
        (v128.store $body offset=48 align=1 (local.get $to) (v128.load $body offset=48 align=1 (local.get $source)))
        (local.set $to (i32.add (local.get $to) (local.get $size)))
        (br $next)))
    (select
      (i32.const -1)
      (local.get $element)
      (i32.and
        (i32.eq (local.get $element) (local.get $end))
        (i32.eq (local.get $to) (local.get $toEnd)))))

  ;; Copies `size` bytes from `distance` before, byte by byte, since written bytes are copied again.
  (func $repeat (param $to i32) (param $distance i32) (param $size i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $to) (local.get $size)))
    (loop $next
      (i32.store8 $body (local.get $to) (i32.load8_u $body (i32.sub (local.get $to) (local.get $distance))))
      (local.set $to (i32.add (local.get $to) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $to) (local.get $end)))))

  ;; Reads series from `position` on, while each is the one that followed the last one the previous time, has samples
  ;; only, each with its value before its time, and none is NaN. Writes handles (u32), times (f64) and values (f64) to
  ;; their columns from `samples` on. At any other series it stops and returns the address of its first byte.
  ;; Entries: labels of 16 bytes or more behind 32 bytes of next entry, handle, length (u32 each), and the rest.
  (func $series (export "series")
    (param $position i32) (param $end i32) (param $last i32) (param $samples i32)
    (param $handles i32) (param $times i32) (param $values i32) (param $room i32) (result i32)
    (local $at i32) (local $byte i32) (local $seriesEnd i32) (local $entry i32) (local $length i32) (local $handle i32)
    (local $count i32) (local $label i32) (local $labelsEnd i32) (local $sampleEnd i32) (local $value f64)
    (local $time i64) (local $shift i64) (local $differs v128)
    (local.set $count (local.get $samples))
    (block $stop
      (loop $next
        (local.set $at (local.get $position))
        (br_if $stop (i32.ge_u (i32.add (local.get $at) (i32.const 3)) (local.get $end)))
        (br_if $stop (i32.ne (i32.load8_u $body (local.get $at)) (i32.const 0x0a)))
        ;; The length is in one or two bytes.
        (local.set $length (i32.load8_u $body offset=1 (local.get $at)))
        (if (i32.lt_u (local.get $length) (i32.const 0x80))
          (then (local.set $at (i32.add (local.get $at) (i32.const 2))))
          (else
            (local.set $byte (i32.load8_u $body offset=2 (local.get $at)))
            (br_if $stop (i32.ge_u (local.get $byte) (i32.const 0x80)))
            (local.set $length
              (i32.or
                (i32.and (local.get $length) (i32.const 0x7f))
                (i32.shl (local.get $byte) (i32.const 7))))
            (local.set $at (i32.add (local.get $at) (i32.const 3)))))
        (local.set $seriesEnd (i32.add (local.get $at) (local.get $length)))
        (br_if $stop (i32.gt_u (local.get $seriesEnd) (local.get $end)))

        ;; The labels of the expected entry.
        (br_if $stop (i32.eqz (local.get $last)))
        (local.set $entry (i32.load $labels (local.get $last)))
        (br_if $stop (i32.eqz (local.get $entry)))
        (local.set $length (i32.load $labels offset=8 (local.get $entry)))
        (br_if $stop (i32.lt_u (local.get $length) (i32.const 16)))
        (local.set $labelsEnd (i32.add (local.get $at) (local.get $length)))
        (br_if $stop (i32.ge_u (local.get $labelsEnd) (local.get $seriesEnd)))
        ;; The last 16 bytes come first: they may overlap those before.
        (local.set $label (i32.add (local.get $entry) (local.get $length)))
        (local.set $differs
          (v128.xor
            (v128.load $labels offset=16 align=1 (local.get $label))
            (v128.load $body align=1 (i32.sub (local.get $labelsEnd) (i32.const 16)))))
        (local.set $label (i32.add (local.get $entry) (i32.const 32)))
        (local.set $length (i32.sub (local.get $labelsEnd) (i32.const 16)))
        (block $compared
          (loop $more
            (br_if $compared (i32.ge_u (local.get $at) (local.get $length)))
            (local.set $differs
              (v128.or
                (local.get $differs)
                (v128.xor (v128.load $labels align=1 (local.get $label)) (v128.load $body align=1 (local.get $at)))))
            (local.set $label (i32.add (local.get $label) (i32.const 16)))
            (local.set $at (i32.add (local.get $at) (i32.const 16)))
            (br $more)))
        (br_if $stop (v128.any_true (local.get $differs)))

        (local.set $handle (i32.load $labels offset=4 (local.get $entry)))
        (local.set $at (local.get $labelsEnd))
        (loop $sample
          (br_if $stop (i32.ge_u (local.get $count) (local.get $room)))
          (br_if $stop (i32.ne (i32.load8_u $body (local.get $at)) (i32.const 0x12)))
          (local.set $length (i32.load8_u $body offset=1 (local.get $at)))
          (br_if $stop (i32.ge_u (local.get $length) (i32.const 0x80)))
          (local.set $at (i32.add (local.get $at) (i32.const 2)))
          (local.set $sampleEnd (i32.add (local.get $at) (local.get $length)))
          (br_if $stop (i32.gt_u (local.get $sampleEnd) (local.get $seriesEnd)))
          ;; Either is absent when it is zero. The check below finds a read behind the sample's end.
          (local.set $value (f64.const 0))
          (if (i32.eq (i32.load8_u $body (local.get $at)) (i32.const 0x09))
            (then
              (local.set $value (f64.load $body offset=1 align=1 (local.get $at)))
              (local.set $at (i32.add (local.get $at) (i32.const 9)))))
          (local.set $time (i64.const 0))
          (if (i32.lt_u (local.get $at) (local.get $sampleEnd))
            (then
              (br_if $stop (i32.ne (i32.load8_u $body (local.get $at)) (i32.const 0x10)))
              (local.set $shift (i64.const 0))
              (loop $digit
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (local.set $byte (i32.load8_u $body (local.get $at)))
                (local.set $time
                  (i64.or
                    (local.get $time)
                    (i64.shl (i64.extend_i32_u (i32.and (local.get $byte) (i32.const 0x7f))) (local.get $shift))))
                (local.set $shift (i64.add (local.get $shift) (i64.const 7)))
                (br_if $stop (i64.gt_u (local.get $shift) (i64.const 56)))
                (br_if $digit (i32.ge_u (local.get $byte) (i32.const 0x80))))
              (local.set $at (i32.add (local.get $at) (i32.const 1)))))
          (br_if $stop (i32.ne (local.get $at) (local.get $sampleEnd)))
          (br_if $stop (f64.ne (local.get $value) (local.get $value)))
          (i32.store $body
            (i32.add (local.get $handles) (i32.shl (local.get $count) (i32.const 2))) (local.get $handle))
          (f64.store $body
            (i32.add (local.get $times) (i32.shl (local.get $count) (i32.const 3))) (f64.convert_i64_s (local.get $time)))
          (f64.store $body
            (i32.add (local.get $values) (i32.shl (local.get $count) (i32.const 3))) (local.get $value))
          (local.set $count (i32.add (local.get $count) (i32.const 1)))
          (br_if $sample (i32.lt_u (local.get $at) (local.get $seriesEnd))))
        (local.set $samples (local.get $count))
        (local.set $last (local.get $entry))
        (local.set $position (local.get $seriesEnd))
        (br $next)))
    (i32.store $body (i32.const 0) (local.get $samples))
    (i32.store $body offset=4 (i32.const 0) (local.get $last))
    (local.get $position)))
