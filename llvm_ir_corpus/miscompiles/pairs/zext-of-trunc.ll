; right: truncating and extending is a mask
define i32 @src(i32 %x) {
  %t = trunc i32 %x to i16
  %r = zext i16 %t to i32
  ret i32 %r
}

define i32 @tgt(i32 %x) {
  %r = and i32 %x, 65535
  ret i32 %r
}
