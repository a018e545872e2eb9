; wrong: x = 0: the count is 32, and becomes poison
declare i32 @llvm.cttz.i32(i32, i1)
define i32 @src(i32 %x) {
  %r = call i32 @llvm.cttz.i32(i32 %x, i1 false)
  ret i32 %r
}

define i32 @tgt(i32 %x) {
  %r = call i32 @llvm.cttz.i32(i32 %x, i1 true)
  ret i32 %r
}
