; right: no bit is lost where there is no poison
define i32 @src(i32 %x, i32 %y) {
  %s = shl nuw i32 %x, %y
  %r = lshr i32 %s, %y
  ret i32 %r
}

define i32 @tgt(i32 %x, i32 %y) {
  ret i32 %x
}
