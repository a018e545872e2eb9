; right: the divisor is odd, so it is not zero
define i32 @src(i1 %c, i32 %x, i32 %y) {
  %d = or i32 %y, 1
  br i1 %c, label %none, label %some
some:
  %q = udiv i32 %x, %d
  ret i32 %q
none:
  ret i32 0
}

define i32 @tgt(i1 %c, i32 %x, i32 %y) {
  %d = or i32 %y, 1
  %f = freeze i1 %c
  %g = freeze i32 %d
  %o = or i32 %g, 1
  %q = udiv i32 %x, %o
  %r = select i1 %f, i32 0, i32 %q
  ret i32 %r
}
