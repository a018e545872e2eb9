; right: noalias: a store through q that p sees would be undefined
define i32 @src(ptr noalias %p, ptr noalias %q) {
  store i32 1, ptr %p, align 4
  store i32 2, ptr %q, align 4
  %r = load i32, ptr %p, align 4
  ret i32 %r
}

define i32 @tgt(ptr noalias %p, ptr noalias %q) {
  store i32 1, ptr %p, align 4
  store i32 2, ptr %q, align 4
  ret i32 1
}
