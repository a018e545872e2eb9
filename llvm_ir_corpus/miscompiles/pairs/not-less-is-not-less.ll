; wrong: x NaN: not less, and not greater or equal either
define i1 @src(double %x, double %y) {
  %l = fcmp olt double %x, %y
  %r = xor i1 %l, true
  ret i1 %r
}

define i1 @tgt(double %x, double %y) {
  %r = fcmp oge double %x, %y
  ret i1 %r
}
