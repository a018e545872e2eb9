; wrong: y = 0: the division is undefined behaviour
define i32 @src(i32 %x, i32 %y) {
  %z = icmp eq i32 %y, 0
  br i1 %z, label %none, label %some
some:
  %q = udiv i32 %x, %y
  ret i32 %q
none:
  ret i32 0
}

define i32 @tgt(i32 %x, i32 %y) {
  %z = icmp eq i32 %y, 0
  %q = udiv i32 %x, %y
  %r = select i1 %z, i32 0, i32 %q
  ret i32 %r
}
