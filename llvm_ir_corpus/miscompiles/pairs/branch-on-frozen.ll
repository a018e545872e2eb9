; right: a frozen condition can be branched on
define i32 @src(i1 %c, i32 %x, i32 %y) {
  %r = select i1 %c, i32 %x, i32 %y
  ret i32 %r
}

define i32 @tgt(i1 %c, i32 %x, i32 %y) {
  %f = freeze i1 %c
  br i1 %f, label %a, label %b
a:
  ret i32 %x
b:
  ret i32 %y
}
