; wrong: x = -0.0: the sum is 0.0
define double @src(double %x) {
  %r = fadd double %x, 0.0
  ret double %r
}

define double @tgt(double %x) {
  ret double %x
}
