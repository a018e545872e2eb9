; wrong: x = 65536: the truncation is lost
define i32 @src(i32 %x) {
  %t = trunc i32 %x to i16
  %r = zext i16 %t to i32
  ret i32 %r
}

define i32 @tgt(i32 %x) {
  ret i32 %x
}
