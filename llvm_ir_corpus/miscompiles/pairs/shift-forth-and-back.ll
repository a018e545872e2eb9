; wrong: the high bits are shifted out: x = -1, y = 1
define i32 @src(i32 %x, i32 %y) {
  %s = shl i32 %x, %y
  %r = lshr i32 %s, %y
  ret i32 %r
}

define i32 @tgt(i32 %x, i32 %y) {
  ret i32 %x
}
