; wrong: what the two calls do happens in the other order
declare void @effect(i32)
define void @src(i32 %x, i32 %y) {
  call void @effect(i32 %x)
  call void @effect(i32 %y)
  ret void
}

define void @tgt(i32 %x, i32 %y) {
  call void @effect(i32 %y)
  call void @effect(i32 %x)
  ret void
}
