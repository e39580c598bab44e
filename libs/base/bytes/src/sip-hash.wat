;; SipHash-1-3 (Aumasson, Bernstein): a sender that does not know the key cannot find collisions.
;; Built into generated/sip-hash.ts by `npm run generate`.
(module
  ;; The key is at address 0, 16 bytes.
  (memory $bytes (import "tidemark" "bytes") 1)

  ;; Returns the lower half of the hash of `length` bytes at `at`. Reads up to 7 bytes behind them.
  (func $hash (export "hash") (param $at i32) (param $length i32) (result i32)
    (local $wordsEnd i32) (local $state i32) (local $word i64)
    (local $v0 i64) (local $v1 i64) (local $v2 i64) (local $v3 i64)
    (local.set $v0 (i64.xor (i64.load $bytes (i32.const 0)) (i64.const 0x736f6d6570736575)))
    (local.set $v1 (i64.xor (i64.load $bytes (i32.const 8)) (i64.const 0x646f72616e646f6d)))
    (local.set $v2 (i64.xor (i64.load $bytes (i32.const 0)) (i64.const 0x6c7967656e657261)))
    (local.set $v3 (i64.xor (i64.load $bytes (i32.const 8)) (i64.const 0x7465646279746573)))
    (local.set $wordsEnd (i32.add (local.get $at) (i32.and (local.get $length) (i32.const -8))))
    (loop $next
      (local.set $word (i64.const 0))
      (if (i32.lt_u (local.get $at) (local.get $wordsEnd))
        (then
          (local.set $word (i64.load $bytes align=1 (local.get $at)))
          (local.set $at (i32.add (local.get $at) (i32.const 8))))
        (else
          ;; State 0: the remaining bytes, below the length. Then three final rounds.
          (if (i32.eqz (local.get $state))
            (then
              (local.set $word
                (i64.or
                  (i64.shl (i64.extend_i32_u (local.get $length)) (i64.const 56))
                  (i64.and
                    (i64.load $bytes align=1 (local.get $at))
                    (i64.sub
                      (i64.shl
                        (i64.const 1)
                        (i64.shl (i64.extend_i32_u (i32.and (local.get $length) (i32.const 7))) (i64.const 3)))
                      (i64.const 1))))))
            (else
              (if (i32.eq (local.get $state) (i32.const 1))
                (then (local.set $v2 (i64.xor (local.get $v2) (i64.const 0xff)))))))
          (local.set $state (i32.add (local.get $state) (i32.const 1)))))
      (local.set $v3 (i64.xor (local.get $v3) (local.get $word)))
      (local.set $v0 (i64.add (local.get $v0) (local.get $v1)))
      (local.set $v1 (i64.xor (i64.rotl (local.get $v1) (i64.const 13)) (local.get $v0)))
      (local.set $v0 (i64.rotl (local.get $v0) (i64.const 32)))
      (local.set $v2 (i64.add (local.get $v2) (local.get $v3)))
      (local.set $v3 (i64.xor (i64.rotl (local.get $v3) (i64.const 16)) (local.get $v2)))
      (local.set $v0 (i64.add (local.get $v0) (local.get $v3)))
      (local.set $v3 (i64.xor (i64.rotl (local.get $v3) (i64.const 21)) (local.get $v0)))
      (local.set $v2 (i64.add (local.get $v2) (local.get $v1)))
      (local.set $v1 (i64.xor (i64.rotl (local.get $v1) (i64.const 17)) (local.get $v2)))
      (local.set $v2 (i64.rotl (local.get $v2) (i64.const 32)))
      (local.set $v0 (i64.xor (local.get $v0) (local.get $word)))
      (br_if $next (i32.ne (local.get $state) (i32.const 4))))
    (i32.wrap_i64
      (i64.xor
        (i64.xor (local.get $v0) (local.get $v1))
        (i64.xor (local.get $v2) (local.get $v3))))))
