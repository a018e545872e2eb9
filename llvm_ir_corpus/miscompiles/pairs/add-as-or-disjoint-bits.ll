; right: the low two bits of the one are zero, the other has no more
define i32 @src(i32 %x, i32 %y) {
  %a = shl i32 %x, 2
  %b = and i32 %y, 3
  %r = add i32 %a, %b
  ret i32 %r
}

define i32 @tgt(i32 %x, i32 %y) {
  %a = shl i32 %x, 2
  %b = and i32 %y, 3
  %r = or disjoint i32 %a, %b
  ret i32 %r
}
