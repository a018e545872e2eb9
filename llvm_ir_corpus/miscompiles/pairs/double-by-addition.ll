; right: 2 * x is x + x
define double @src(double noundef %x) {
  %r = fmul double %x, 2.0
  ret double %r
}

define double @tgt(double noundef %x) {
  %r = fadd double %x, %x
  ret double %r
}
