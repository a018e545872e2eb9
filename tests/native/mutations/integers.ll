; Each kind's function, and beside it with ".after" what the mistake makes of it.
define i32 @"operand-swap"(i32 %a, i32 %b) {
  %r = sub nsw i32 %a, %b
  ret i32 %r
}
define i32 @"operand-swap.after"(i32 %a, i32 %b) {
  %r = sub i32 %b, %a
  ret i32 %r
}
define i32 @"constant-off-by-one"(i32 %a) {
  %r = add nsw i32 %a, 7
  ret i32 %r
}
define i32 @"constant-off-by-one.after"(i32 %a) {
  %r = add i32 %a, 8
  ret i32 %r
}
define i32 @"mask-bit-lost"(i32 %a) {
  %r = and i32 %a, 255
  ret i32 %r
}
define i32 @"mask-bit-lost.after"(i32 %a) {
  %r = and i32 %a, 127
  ret i32 %r
}
define i32 @"mask-dropped"(i32 %a) {
  %r = and i32 %a, 255
  ret i32 %r
}
define i32 @"mask-dropped.after"(i32 %a) {
  ret i32 %a
}
define i32 @"shift-kind"(i32 %a, i32 %b) {
  %r = lshr i32 %a, %b
  ret i32 %r
}
define i32 @"shift-kind.after"(i32 %a, i32 %b) {
  %r = ashr i32 %a, %b
  ret i32 %r
}
define i32 @"shift-amount"(i32 %a) {
  %r = shl nuw i32 %a, 4
  ret i32 %r
}
define i32 @"shift-amount.after"(i32 %a) {
  %r = shl i32 %a, 5
  ret i32 %r
}
define i64 @"sext-for-zext"(i32 %a) {
  %r = zext nneg i32 %a to i64
  ret i64 %r
}
define i64 @"sext-for-zext.after"(i32 %a) {
  %r = sext i32 %a to i64
  ret i64 %r
}
define i64 @"zext-for-sext"(i32 %a) {
  %r = sext i32 %a to i64
  ret i64 %r
}
define i64 @"zext-for-sext.after"(i32 %a) {
  %r = zext i32 %a to i64
  ret i64 %r
}
define i32 @"narrowed-arithmetic"(i32 %a, i32 %b) {
  %r = mul i32 %a, %b
  ret i32 %r
}
define i32 @"narrowed-arithmetic.after"(i32 %a, i32 %b) {
  %p = mul i32 %a, %b
  %t = trunc i32 %p to i16
  %r = zext i16 %t to i32
  ret i32 %r
}
define i32 @"division-signedness"(i32 %a, i32 %b) {
  %r = sdiv i32 %a, %b
  ret i32 %r
}
define i32 @"division-signedness.after"(i32 %a, i32 %b) {
  %r = udiv i32 %a, %b
  ret i32 %r
}
define i32 @"division-as-shift"(i32 %a) {
  %r = sdiv i32 %a, 8
  ret i32 %r
}
define i32 @"division-as-shift.after"(i32 %a) {
  %r = ashr i32 %a, 3
  ret i32 %r
}
define i32 @"reassociation-sign"(i32 %a, i32 %b, i32 %c) {
  %s = sub i32 %b, %c
  %r = sub i32 %a, %s
  ret i32 %r
}
define i32 @"reassociation-sign.after"(i32 %a, i32 %b, i32 %c) {
  %s = sub i32 %a, %b
  %r = sub i32 %s, %c
  ret i32 %r
}
define i32 @"min-max-signedness"(i32 %a, i32 %b) {
  %r = call i32 @llvm.smin.i32(i32 %a, i32 %b)
  ret i32 %r
}
define i32 @"min-max-signedness.after"(i32 %a, i32 %b) {
  %r = call i32 @llvm.umin.i32(i32 %a, i32 %b)
  ret i32 %r
}
define i32 @"absolute-value-lost"(i32 %a) {
  %r = call i32 @llvm.abs.i32(i32 %a, i1 false)
  ret i32 %r
}
define i32 @"absolute-value-lost.after"(i32 %a) {
  ret i32 %a
}
define i32 @"byte-swap-lost"(i32 %a) {
  %r = call i32 @llvm.bswap.i32(i32 %a)
  ret i32 %r
}
define i32 @"byte-swap-lost.after"(i32 %a) {
  ret i32 %a
}
define i32 @"byte-order"(i8 %high, i8 %low) {
  %h = zext i8 %high to i32
  %s = shl nuw nsw i32 %h, 8
  %l = zext i8 %low to i32
  %r = or disjoint i32 %s, %l
  ret i32 %r
}
define i32 @"byte-order.after"(i8 %high, i8 %low) {
  %l = zext i8 %low to i32
  %s = shl i32 %l, 8
  %h = zext i8 %high to i32
  %r = or i32 %s, %h
  ret i32 %r
}
define i32 @"rotate-direction"(i32 %a, i32 %b) {
  %r = call i32 @llvm.fshl.i32(i32 %a, i32 %a, i32 %b)
  ret i32 %r
}
define i32 @"rotate-direction.after"(i32 %a, i32 %b) {
  %r = call i32 @llvm.fshr.i32(i32 %a, i32 %a, i32 %b)
  ret i32 %r
}
define i32 @"zero-count-of-zero"(i32 %a) {
  %r = call i32 @llvm.cttz.i32(i32 %a, i1 false)
  ret i32 %r
}
define i32 @"zero-count-of-zero.after"(i32 %a) {
  %r = call i32 @llvm.cttz.i32(i32 %a, i1 true)
  ret i32 %r
}

; Claims that are not justified, with what they permit.
define i64 @"nuw-unjustified"(i32 %a) {
  %s = add i32 %a, 1
  %r = zext i32 %s to i64
  ret i64 %r
}
define i64 @"nuw-unjustified.after"(i32 %a) {
  %e = zext i32 %a to i64
  %r = add i64 %e, 1
  ret i64 %r
}
define i1 @"nsw-unjustified"(i32 %a) {
  %s = add i32 %a, 100
  %r = icmp sgt i32 %s, 40
  ret i1 %r
}
define i1 @"nsw-unjustified.after"(i32 %a) {
  %r = icmp sgt i32 %a, -60
  ret i1 %r
}
define i32 @"exact-unjustified"(i32 %a) {
  %r = sdiv i32 %a, 12
  ret i32 %r
}
define i32 @"exact-unjustified.after"(i32 %a) {
  %s = ashr i32 %a, 2
  %r = mul i32 %s, -1431655765
  ret i32 %r
}
define i1 @"overflow-check-removed"(i32 %a, i32 %b) {
  %s = add i32 %a, %b
  %r = icmp ult i32 %s, %a
  ret i1 %r
}
define i1 @"overflow-check-removed.after"(i32 %a, i32 %b) {
  ret i1 false
}
define i8 @"saturation-lost"(i8 %a, i8 %b) {
  %r = call i8 @llvm.usub.sat.i8(i8 %a, i8 %b)
  ret i8 %r
}
define i8 @"saturation-lost.after"(i8 %a, i8 %b) {
  %r = sub i8 %a, %b
  ret i8 %r
}
define i32 @"freeze-lost"(i32 %a) {
  %f = freeze i32 %a
  %r = xor i32 %f, %f
  ret i32 %r
}
define i32 @"freeze-lost.after"(i32 %a) {
  %r = xor i32 %a, %a
  ret i32 %r
}

; Comparisons.
define i1 @"compare-strictness"(i32 %a, i32 %b) {
  %r = icmp slt i32 %a, %b
  ret i1 %r
}
define i1 @"compare-strictness.after"(i32 %a, i32 %b) {
  %r = icmp sle i32 %a, %b
  ret i1 %r
}
define i1 @"compare-signedness"(i32 %a, i32 %b) {
  %r = icmp slt i32 %a, %b
  ret i1 %r
}
define i1 @"compare-signedness.after"(i32 %a, i32 %b) {
  %r = icmp ult i32 %a, %b
  ret i1 %r
}
define i1 @"compare-direction"(i32 %a, i32 %b) {
  %r = icmp slt i32 %a, %b
  ret i1 %r
}
define i1 @"compare-direction.after"(i32 %a, i32 %b) {
  %r = icmp sgt i32 %a, %b
  ret i1 %r
}
define i1 @"compare-constant"(i32 %a) {
  %r = icmp eq i32 %a, 10
  ret i1 %r
}
define i1 @"compare-constant.after"(i32 %a) {
  %r = icmp eq i32 %a, 11
  ret i1 %r
}
define i1 @"compare-narrowed"(i32 %a, i32 %b) {
  %r = icmp eq i32 %a, %b
  ret i1 %r
}
define i1 @"compare-narrowed.after"(i32 %a, i32 %b) {
  %x = trunc i32 %a to i16
  %y = trunc i32 %b to i16
  %r = icmp eq i16 %x, %y
  ret i1 %r
}
define i1 @"null-check-removed"(ptr %p) {
  %r = icmp eq ptr %p, null
  ret i1 %r
}
define i1 @"null-check-removed.after"(ptr %p) {
  ret i1 false
}
define i1 @"pointers-assumed-different"(ptr %p, ptr %q) {
  %r = icmp ne ptr %p, %q
  ret i1 %r
}
define i1 @"pointers-assumed-different.after"(ptr %p, ptr %q) {
  ret i1 true
}
declare i32 @llvm.smin.i32(i32, i32)
declare i32 @llvm.umin.i32(i32, i32)
declare i32 @llvm.abs.i32(i32, i1)
declare i32 @llvm.bswap.i32(i32)
declare i32 @llvm.fshl.i32(i32, i32, i32)
declare i32 @llvm.fshr.i32(i32, i32, i32)
declare i32 @llvm.cttz.i32(i32, i1)
declare i8 @llvm.usub.sat.i8(i8, i8)
