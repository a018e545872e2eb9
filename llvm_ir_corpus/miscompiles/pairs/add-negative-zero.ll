; right: -0.0 is what addition leaves alone
define double @src(double %x) {
  %r = fadd double %x, -0.0
  ret double %r
}

define double @tgt(double %x) {
  ret double %x
}
