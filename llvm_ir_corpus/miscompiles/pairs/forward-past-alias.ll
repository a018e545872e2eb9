; wrong: p = q: the second store is what is loaded
define i32 @src(ptr %p, ptr %q) {
  store i32 1, ptr %p, align 4
  store i32 2, ptr %q, align 4
  %r = load i32, ptr %p, align 4
  ret i32 %r
}

define i32 @tgt(ptr %p, ptr %q) {
  store i32 1, ptr %p, align 4
  store i32 2, ptr %q, align 4
  ret i32 1
}
