; right: nothing reads between the stores
define void @src(ptr %p) {
  store i32 1, ptr %p, align 4
  store i32 2, ptr %p, align 4
  ret void
}

define void @tgt(ptr %p) {
  store i32 2, ptr %p, align 4
  ret void
}
