; wrong: x = 0.0: its negation is -0.0
define double @src(double %x) {
  %r = fneg double %x
  ret double %r
}

define double @tgt(double %x) {
  %r = fsub double 0.0, %x
  ret double %r
}
