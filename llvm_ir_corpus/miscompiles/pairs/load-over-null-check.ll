; wrong: p = null: the load is undefined behaviour
define i32 @src(ptr %p) {
  %n = icmp eq ptr %p, null
  br i1 %n, label %none, label %some
some:
  %v = load i32, ptr %p, align 4
  ret i32 %v
none:
  ret i32 0
}

define i32 @tgt(ptr %p) {
  %n = icmp eq ptr %p, null
  %v = load i32, ptr %p, align 4
  %r = select i1 %n, i32 0, i32 %v
  ret i32 %r
}
