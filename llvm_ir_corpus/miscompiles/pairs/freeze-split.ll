; wrong: one frozen value is equal to itself, two need not be
define i32 @src(i32 %x) {
  %f = freeze i32 %x
  %r = sub i32 %f, %f
  ret i32 %r
}

define i32 @tgt(i32 %x) {
  %f = freeze i32 %x
  %g = freeze i32 %x
  %r = sub i32 %f, %g
  ret i32 %r
}
