; right: the same three answers, and the same undefined behaviour or less
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
  %e = icmp eq i32 %x, 1
  %t = icmp eq i32 %x, 2
  %s = select i1 %t, i32 20, i32 0
  %r = select i1 %e, i32 10, i32 %s
  ret i32 %r
}
