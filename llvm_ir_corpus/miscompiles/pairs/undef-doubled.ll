; right: two uses of undef may give any sum, so an even one too
define i32 @src() {
  %r = add i32 undef, undef
  ret i32 %r
}

define i32 @tgt() {
  %r = mul i32 undef, 2
  ret i32 %r
}
