target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
target triple = "x86_64-pc-linux-gnu"
define i32 @"load-clobber-ignored"(ptr %p, ptr %q) {
  %a = load i32, ptr %p
  store i32 5, ptr %q
  %b = load i32, ptr %p
  %r = add i32 %a, %b
  ret i32 %r
}
define i32 @"load-clobber-ignored.after"(ptr %p, ptr %q) {
  %a = load i32, ptr %p
  store i32 5, ptr %q
  %r = add i32 %a, %a
  ret i32 %r
}
define i32 @"load-from-wrong-store"(ptr %p, ptr %q, i32 %v) {
  store i32 %v, ptr %q
  %r = load i32, ptr %p
  ret i32 %r
}
define i32 @"load-from-wrong-store.after"(ptr %p, ptr %q, i32 %v) {
  store i32 %v, ptr %q
  ret i32 %v
}
define i32 @"load-hoisted-over-guard"(ptr %p) {
  %null = icmp eq ptr %p, null
  br i1 %null, label %none, label %some
some:
  %r = load i32, ptr %p
  ret i32 %r
none:
  ret i32 0
}
define i32 @"load-hoisted-over-guard.after"(ptr %p) {
  %null = icmp eq ptr %p, null
  %r = load volatile i32, ptr %p
  br i1 %null, label %none, label %some
some:
  ret i32 %r
none:
  ret i32 0
}
define i8 @"load-wrong-half"(ptr %p) {
  %r = load i8, ptr %p
  ret i8 %r
}
define i8 @"load-wrong-half.after"(ptr %p) {
  %w = load i16, ptr %p, align 1
  %s = lshr i16 %w, 8
  %r = trunc i16 %s to i8
  ret i8 %r
}
define i32 @"load-narrowed"(ptr %p) {
  %r = load i32, ptr %p, align 4
  ret i32 %r
}
define i32 @"load-narrowed.after"(ptr %p) {
  %n = load i16, ptr %p, align 4
  %r = zext i16 %n to i32
  ret i32 %r
}
define void @"store-dropped"(ptr %p, i32 %v) {
  store i32 %v, ptr %p
  ret void
}
define void @"store-dropped.after"(ptr %p, i32 %v) {
  ret void
}
define void @"store-assumed-dead"(ptr %p, i32 %v, i1 %c) {
  store i32 %v, ptr %p
  br i1 %c, label %again, label %end
again:
  store i32 7, ptr %p
  br label %end
end:
  ret void
}
define void @"store-assumed-dead.after"(ptr %p, i32 %v, i1 %c) {
  br i1 %c, label %again, label %end
again:
  store i32 7, ptr %p
  br label %end
end:
  ret void
}
define i32 @"store-moved-past-read"(ptr %p, ptr %q, i32 %v) {
  store i32 %v, ptr %p
  %r = load i32, ptr %q
  ret i32 %r
}
define i32 @"store-moved-past-read.after"(ptr %p, ptr %q, i32 %v) {
  %r = load i32, ptr %q
  store i32 %v, ptr %p
  ret i32 %r
}
define void @"store-moved-past-store"(ptr %p, ptr %q, i32 %v) {
  store i32 %v, ptr %p
  store i32 1, ptr %q
  ret void
}
define void @"store-moved-past-store.after"(ptr %p, ptr %q, i32 %v) {
  store i32 1, ptr %q
  store i32 %v, ptr %p
  ret void
}
define void @"store-repeated"(ptr %p, ptr %q, i32 %v) {
  store i32 %v, ptr %p
  store i32 1, ptr %q
  ret void
}
define void @"store-repeated.after"(ptr %p, ptr %q, i32 %v) {
  store i32 %v, ptr %p
  store i32 1, ptr %q
  store i32 %v, ptr %p
  ret void
}
define void @"store-speculated"(ptr %p, i1 %c) {
  br i1 %c, label %do, label %end
do:
  store i32 1, ptr %p
  br label %end
end:
  ret void
}
define void @"store-speculated.after"(ptr %p, i1 %c) {
  store i32 1, ptr %p
  br i1 %c, label %do, label %end
do:
  br label %end
end:
  ret void
}
define void @"store-narrowed"(ptr %p, i32 %v) {
  store i32 %v, ptr %p, align 4
  ret void
}
define void @"store-narrowed.after"(ptr %p, i32 %v) {
  %n = trunc i32 %v to i16
  store i16 %n, ptr %p, align 4
  ret void
}
define void @"store-widened"(ptr %p, i8 %v) {
  store i8 %v, ptr %p, align 1
  ret void
}
define void @"store-widened.after"(ptr %p, i8 %v) {
  %w = zext i8 %v to i16
  store i16 %w, ptr %p, align 1
  ret void
}
define void @"store-wrong-constant"(ptr %p) {
  store i32 6, ptr %p
  ret void
}
define void @"store-wrong-constant.after"(ptr %p) {
  store i32 7, ptr %p
  ret void
}
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
declare void @llvm.memmove.p0.p0.i64(ptr, ptr, i64, i1)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
define void @"copy-length-less"(ptr %p, ptr %q) {
  call void @llvm.memcpy.p0.p0.i64(ptr %p, ptr %q, i64 24, i1 false)
  ret void
}
define void @"copy-length-less.after"(ptr %p, ptr %q) {
  call void @llvm.memcpy.p0.p0.i64(ptr %p, ptr %q, i64 23, i1 false)
  ret void
}
define void @"copy-length-more"(ptr %p, ptr %q, i64 %n) {
  call void @llvm.memcpy.p0.p0.i64(ptr %p, ptr %q, i64 %n, i1 false)
  ret void
}
define void @"copy-length-more.after"(ptr %p, ptr %q, i64 %n) {
  %m = add i64 %n, 1
  call void @llvm.memcpy.p0.p0.i64(ptr %p, ptr %q, i64 %m, i1 false)
  ret void
}
define void @"memmove-as-memcpy"(ptr %p, ptr %q) {
  call void @llvm.memmove.p0.p0.i64(ptr %p, ptr %q, i64 3, i1 false)
  ret void
}
define void @"memmove-as-memcpy.after"(ptr %p, ptr %q) {
  br label %load-store-loop
load-store-loop:
  %i = phi i64 [ 0, %0 ], [ %next, %load-store-loop ]
  %from = getelementptr inbounds i8, ptr %q, i64 %i
  %byte = load i8, ptr %from, align 1
  %to = getelementptr inbounds i8, ptr %p, i64 %i
  store i8 %byte, ptr %to, align 1
  %next = add i64 %i, 1
  %more = icmp ult i64 %next, 3
  br i1 %more, label %load-store-loop, label %end
end:
  ret void
}
define void @"memset-value"(ptr %p) {
  call void @llvm.memset.p0.i64(ptr %p, i8 0, i64 24, i1 false)
  ret void
}
define void @"memset-value.after"(ptr %p) {
  call void @llvm.memset.p0.i64(ptr %p, i8 1, i64 24, i1 false)
  ret void
}
define void @"copy-dropped"(ptr %p) {
  call void @llvm.memset.p0.i64(ptr %p, i8 0, i64 24, i1 false)
  ret void
}
define void @"copy-dropped.after"(ptr %p) {
  ret void
}
define ptr @"address-offset"(ptr %p) {
  %r = getelementptr inbounds i8, ptr %p, i64 8
  ret ptr %r
}
define ptr @"address-offset.after"(ptr %p) {
  %r = getelementptr i8, ptr %p, i64 16
  ret ptr %r
}
define ptr @"address-scale"(ptr %p, i64 %i) {
  %r = getelementptr inbounds i32, ptr %p, i64 %i
  ret ptr %r
}
define ptr @"address-scale.after"(ptr %p, i64 %i) {
  %r = getelementptr i16, ptr %p, i64 %i
  ret ptr %r
}
define i32 @"alignment-claimed"(ptr %p) {
  %at = getelementptr i8, ptr %p, i64 4
  %r = load i32, ptr %at, align 4
  ret i32 %r
}
define i32 @"alignment-claimed.after"(ptr %p) {
  %at = getelementptr i8, ptr %p, i64 4
  %n = ptrtoint ptr %p to i64
  %o = or i64 %n, 4
  %q = inttoptr i64 %o to ptr
  %r = load i32, ptr %q, align 4
  ret i32 %r
}
declare void @use(ptr, ptr)
define void @"stack-slots-merged"() {
  %a = alloca i32
  %b = alloca i32
  call void @use(ptr %a, ptr %b)
  ret void
}
define void @"stack-slots-merged.after"() {
  %a = alloca i32
  call void @use(ptr %a, ptr %a)
  ret void
}
