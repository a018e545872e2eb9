; right: four bytes of value 1
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
define void @src(ptr %p) {
  call void @llvm.memset.p0.i64(ptr %p, i8 1, i64 4, i1 false)
  ret void
}

define void @tgt(ptr %p) {
  store i32 16843009, ptr %p, align 1
  ret void
}
