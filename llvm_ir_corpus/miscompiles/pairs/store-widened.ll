; wrong: the byte behind p is overwritten
define void @src(ptr %p) {
  store i8 1, ptr %p, align 1
  ret void
}

define void @tgt(ptr %p) {
  store i16 1, ptr %p, align 1
  ret void
}
