; wrong: x = 3: it belongs to the default
define i32 @src(i32 %x) {
  switch i32 %x, label %d [
  i32 1, label %a
  i32 2, label %b
  ]
a:
  ret i32 10
b:
  ret i32 20
d:
  ret i32 0
}

define i32 @tgt(i32 %x) {
  %r = mul i32 %x, 10
  ret i32 %r
}
