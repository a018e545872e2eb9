; right: two neighbouring bytes, least significant first
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
define void @src(ptr %p) {
  store i8 1, ptr %p, align 1
  %b = getelementptr i8, ptr %p, i64 1
  store i8 2, ptr %b, align 1
  ret void
}

define void @tgt(ptr %p) {
  store i16 513, ptr %p, align 1
  ret void
}
