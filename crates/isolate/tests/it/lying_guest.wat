;; A guest that obeys: the first byte of a source or an event says which part of the contract to break.
;; 0x10000 event buffer, 0x20000 replies, 0x30000 state, 0x40000 and up: heap.
(module
  (import "rimward" "now_ms" (func $now_ms (result f64)))
  (import "rimward" "seed" (func $seed (result i64)))
  (import "rimward" "log" (func $log (param i32 i32)))
  (import "rimward" "hash" (func $hash (param i32 i32 i32 i32)))
  (import "rimward" "hmac" (func $hmac (param i32 i32 i32 i32 i32 i32)))
  (import "rimward" "kv_get" (func $kv_get (param i32 i32) (result i32)))
  (import "rimward" "kv_read" (func $kv_read (param i32)))
  (import "rimward" "kv_meta" (func $kv_meta (param i32) (result i32)))
  (import "rimward" "panic" (func $panic (param i32 i32)))
  (import "rimward" "out_of_memory" (func $out_of_memory (param i32)))
  (memory (export "memory") 32 32)
  (global $sp (export "__stack_pointer") (mut i32) (i32.const 0x8000))
  (global $runs (mut i32) (i32.const 0))
  (data (i32.const 0x30000) "\07\00\00\00")
  ;; A whole reply of the wire: failed, execution, message "E: no", line 2, column 3.
  (data (i32.const 0x30100) "\02\00\05\00\00\00E: no\02\00\00\00\03\00\00\00")

  (func $place (param $ptr i32) (param $len i32) (result i64)
    (i64.or (i64.shl (i64.extend_i32_u (local.get $ptr)) (i64.const 32)) (i64.extend_i32_u (local.get $len))))

  (func (export "boot") (i32.store (i32.const 0x30000) (i32.const 0)))
  (func (export "event_buffer") (result i32) (i32.const 0x10000))
  (func (export "reserve") (param $len i32) (result i32)
    (if (i32.gt_u (local.get $len) (i32.const 0x180000)) (then (return (i32.const -4))))
    (if (i32.gt_u (local.get $len) (i32.const 0x100000)) (then (call $out_of_memory (local.get $len))))
    (i32.const 0x40000))
  (func (export "brk") (result i32) (i32.load (i32.const 0x30008)))
  (func (export "heap_used") (result i32) (i32.const 0))
  (func (export "seal") (param i32))
  (func (export "reply") (result i64)
    (if (i32.load (i32.const 0x3000c)) (then (return (call $place (i32.const -16) (i32.const 64)))))
    (call $place (i32.const 0x30100) (i32.const 19)))

  (func $spin (loop $again (br $again)))
  (func $deep (param $n i32) (result i32) (i32.add (call $deep (i32.add (local.get $n) (i32.const 1))) (i32.const 1)))

  (func (export "load") (param $ptr i32) (param $len i32) (param $flags i32) (result i32)
    (local $mode i32) (local $n i32)
    (local.set $mode (i32.load8_u (local.get $ptr)))
    ;; What makes one function differ from another: as many heap pages as the second byte says, filled with the third.
    (local.set $n (i32.load8_u offset=1 (local.get $ptr)))
    (memory.fill (i32.const 0x50000) (i32.load8_u offset=2 (local.get $ptr)) (i32.mul (local.get $n) (i32.const 4096)))
    (if (i32.eq (local.get $mode) (i32.const 0x69)) ;; i: impure
      (then (if (i32.eqz (i32.and (local.get $flags) (i32.const 2))) (then (return (i32.const 1))))))
    (if (i32.eq (local.get $mode) (i32.const 0x49)) (then (return (i32.const 1)))) ;; I: impure however
    (if (i32.eq (local.get $mode) (i32.const 0x73)) (then (return (i32.const 2)))) ;; s: syntax
    (if (i32.eq (local.get $mode) (i32.const 0x6e)) (then (return (i32.const 3)))) ;; n: no handler
    (if (i32.eq (local.get $mode) (i32.const 0x74)) (then (return (i32.const 4)))) ;; t: threw
    (if (i32.eq (local.get $mode) (i32.const 0x78)) (then (return (i32.const 99)))) ;; x: no status at all
    (if (i32.eq (local.get $mode) (i32.const 0x6c)) (then (call $spin))) ;; l: endless
    (if (i32.eq (local.get $mode) (i32.const 0x6d)) (then (call $out_of_memory (i32.const 1)))) ;; m
    (if (i32.eq (local.get $mode) (i32.const 0x75)) (then (unreachable))) ;; u
    (if (i32.eq (local.get $mode) (i32.const 0x77)) ;; w: syntax, but the reason is nowhere
      (then (i32.store (i32.const 0x3000c) (i32.const 1)) (return (i32.const 2))))
    (if (i32.eq (local.get $mode) (i32.const 0x62)) (then (i32.store (i32.const 0x30008) (i32.const 0x7fffffff)))) ;; b: all memory
    (i32.const 0))

  (func (export "handle") (param $ptr i32) (param $len i32) (result i64)
    (local $do i32) (local $n i32)
    (if (i32.eqz (local.get $len)) (then (return (call $place (i32.const 0) (i32.const 0)))))
    (local.set $do (i32.load8_u (local.get $ptr)))
    (if (i32.eq (local.get $do) (i32.const 0x65)) ;; e: echo
      (then (return (call $place (local.get $ptr) (local.get $len)))))
    (if (i32.eq (local.get $do) (i32.const 0x66)) ;; f: what the function is made of
      (then (return (call $place (i32.const 0x50000) (i32.const 4)))))
    (if (i32.eq (local.get $do) (i32.const 0x73)) ;; s: count runs in memory, in a global and on the stack
      (then
        (i32.store (i32.const 0x30000) (i32.add (i32.load (i32.const 0x30000)) (i32.const 1)))
        (global.set $runs (i32.add (global.get $runs) (i32.const 1)))
        (global.set $sp (i32.sub (global.get $sp) (i32.const 16)))
        (i32.store (i32.const 0x20000) (i32.load (i32.const 0x30000)))
        (i32.store (i32.const 0x20004) (global.get $runs))
        (i32.store (i32.const 0x20008) (global.get $sp))
        (return (call $place (i32.const 0x20000) (i32.const 12)))))
    (if (i32.eq (local.get $do) (i32.const 0x64)) ;; d: write to every page
      (then
        (memory.fill (i32.const 0x40000) (i32.const 0xaa) (i32.const 0x1c0000))
        (i32.store (i32.const 0x30000) (i32.const 99))
        (return (call $place (i32.const 0x40000) (i32.const 4)))))
    (if (i32.eq (local.get $do) (i32.const 0x6c)) (then (memory.fill (i32.const 0x40000) (i32.const 1) (i32.const 0x8000)) (call $spin)))
    (if (i32.eq (local.get $do) (i32.const 0x75)) (then (global.set $runs (i32.const 5)) (unreachable)))
    (if (i32.eq (local.get $do) (i32.const 0x6f)) (then (drop (i32.load (i32.const -16))))) ;; o: out of bounds
    (if (i32.eq (local.get $do) (i32.const 0x4f)) (then (i32.store (i32.const 0x200000) (i32.const 1)))) ;; O: just out of bounds
    (if (i32.eq (local.get $do) (i32.const 0x72)) (then (drop (call $deep (i32.const 0))))) ;; r: recursion
    (if (i32.eq (local.get $do) (i32.const 0x6b)) ;; k: the shadow stack passes its end
      (then (global.set $sp (i32.sub (global.get $sp) (i32.const 0x9000))) (i32.store (global.get $sp) (i32.const 1))))
    (if (i32.eq (local.get $do) (i32.const 0x67)) ;; g: grow
      (then
        (i32.store (i32.const 0x20000) (memory.grow (i32.const 1)))
        (return (call $place (i32.const 0x20000) (i32.const 4)))))
    (if (i32.eq (local.get $do) (i32.const 0x50)) (then (return (call $place (i32.const -1) (i32.const 16))))) ;; P: reply nowhere
    (if (i32.eq (local.get $do) (i32.const 0x51)) (then (return (call $place (i32.const 0x1ffff8) (i32.const 16))))) ;; Q: reply past the end
    (if (i32.eq (local.get $do) (i32.const 0x4c)) (then (return (call $place (i32.const 0) (i32.const 0x100000))))) ;; L: reply too long
    (if (i32.eq (local.get $do) (i32.const 0x4d)) (then (call $out_of_memory (i32.const 8)))) ;; M
    (if (i32.eq (local.get $do) (i32.const 0x70)) (then (call $panic (local.get $ptr) (local.get $len)))) ;; p: panic
    (if (i32.eq (local.get $do) (i32.const 0x71)) (then (call $panic (i32.const -8) (i32.const 100)))) ;; q: panic from nowhere
    (if (i32.eq (local.get $do) (i32.const 0x68)) ;; h: hash to nowhere
      (then (call $hash (i32.const 2) (local.get $ptr) (local.get $len) (i32.const 0x1ffff0))))
    (if (i32.eq (local.get $do) (i32.const 0x48)) ;; H: hash of an unknown kind
      (then (call $hash (i32.const 9) (local.get $ptr) (local.get $len) (i32.const 0x20000))))
    (if (i32.eq (local.get $do) (i32.const 0x69)) ;; i: hash from nowhere
      (then (call $hash (i32.const 0) (i32.const 0x1ffff0) (i32.const -1) (i32.const 0x20000))))
    (if (i32.eq (local.get $do) (i32.const 0x6a)) ;; j: hashes of the event, one after the other
      (then
        (call $hash (i32.const 0) (local.get $ptr) (local.get $len) (i32.const 0x20000))
        (call $hash (i32.const 1) (local.get $ptr) (local.get $len) (i32.const 0x20010))
        (call $hash (i32.const 2) (local.get $ptr) (local.get $len) (i32.const 0x20024))
        (return (call $place (i32.const 0x20000) (i32.const 68)))))
    (if (i32.eq (local.get $do) (i32.const 0x4a)) ;; J: keyed hashes: the key is the first byte
      (then
        (call $hmac (i32.const 0) (local.get $ptr) (i32.const 1) (local.get $ptr) (local.get $len) (i32.const 0x20000))
        (call $hmac (i32.const 1) (local.get $ptr) (i32.const 1) (local.get $ptr) (local.get $len) (i32.const 0x20010))
        (call $hmac (i32.const 2) (local.get $ptr) (i32.const 1) (local.get $ptr) (local.get $len) (i32.const 0x20024))
        (return (call $place (i32.const 0x20000) (i32.const 68)))))
    (if (i32.eq (local.get $do) (i32.const 0x7a)) ;; z: hashes for ever
      (then (loop $again
        (call $hash (i32.const 0) (i32.const 0x40000) (i32.const 0x1c0000) (i32.const 0x20000))
        (br $again))))
    (if (i32.eq (local.get $do) (i32.const 0x79)) (then (call $log (i32.const -2) (i32.const 10)))) ;; y: log from nowhere
    (if (i32.eq (local.get $do) (i32.const 0x59)) ;; Y: many lines
      (then
        (local.set $n (i32.const 1000))
        (loop $again
          (call $log (local.get $ptr) (local.get $len))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br_if $again (local.get $n)))
        (return (call $place (local.get $ptr) (i32.const 1)))))
    (if (i32.eq (local.get $do) (i32.const 0x63)) ;; c: clock and seed
      (then
        (f64.store (i32.const 0x20000) (call $now_ms))
        (i64.store (i32.const 0x20008) (call $seed))
        (return (call $place (i32.const 0x20000) (i32.const 16)))))
    (if (i32.eq (local.get $do) (i32.const 0x76)) ;; v: the value of a key
      (then
        (local.set $n (call $kv_get (i32.add (local.get $ptr) (i32.const 1)) (i32.sub (local.get $len) (i32.const 1))))
        (if (i32.lt_s (local.get $n) (i32.const 0))
          (then (i32.store (i32.const 0x20000) (local.get $n)) (return (call $place (i32.const 0x20000) (i32.const 4)))))
        (call $kv_read (i32.const 0x20000))
        (return (call $place (i32.const 0x20000) (local.get $n)))))
    (if (i32.eq (local.get $do) (i32.const 0x56)) (then (call $kv_read (i32.const 0x20000)))) ;; V: read what nobody got
    (if (i32.eq (local.get $do) (i32.const 0x57)) ;; W: read to nowhere
      (then
        (drop (call $kv_get (i32.add (local.get $ptr) (i32.const 1)) (i32.sub (local.get $len) (i32.const 1))))
        (call $kv_read (i32.const 0x1fffff))))
    (if (i32.eq (local.get $do) (i32.const 0x6e)) ;; n: facts about the store
      (then
        (i32.store (i32.const 0x20018) (call $kv_meta (i32.const 0x20000)))
        (return (call $place (i32.const 0x20000) (i32.const 28)))))
    (call $place (i32.const 0) (i32.const 0))))
