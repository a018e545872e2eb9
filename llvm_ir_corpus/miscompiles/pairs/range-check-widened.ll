; wrong: x = 47: the subtraction must wrap for the check to fail
define i1 @src(i8 %x) {
  %s = sub i8 %x, 48
  %r = icmp ult i8 %s, 10
  ret i1 %r
}

define i1 @tgt(i8 %x) {
  %r = icmp slt i8 %x, 58
  ret i1 %r
}
