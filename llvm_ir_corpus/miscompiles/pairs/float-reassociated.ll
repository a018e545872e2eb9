; wrong: x = 1e20, y = -1e20, z = 1
define double @src(double %x, double %y, double %z) {
  %s = fadd double %x, %y
  %r = fadd double %s, %z
  ret double %r
}

define double @tgt(double %x, double %y, double %z) {
  %s = fadd double %y, %z
  %r = fadd double %x, %s
  ret double %r
}
