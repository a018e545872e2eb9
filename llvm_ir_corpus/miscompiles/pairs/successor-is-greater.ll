; wrong: x = 2147483647: its successor wraps
define i1 @src(i32 %x) {
  %s = add i32 %x, 1
  %r = icmp sgt i32 %s, %x
  ret i1 %r
}

define i1 @tgt(i32 %x) {
  ret i1 true
}
