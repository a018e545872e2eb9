; wrong: n = 128: as a signed number it is negative, and the loop does not run
declare i8 @llvm.smax.i8(i8, i8)
define i8 @src(i8 noundef %n) {
entry:
  br label %head
head:
  %i = phi i8 [ 0, %entry ], [ %next, %body ]
  %more = icmp ult i8 %i, %n
  br i1 %more, label %body, label %end
body:
  %next = add i8 %i, 1
  br label %head
end:
  ret i8 %i
}

define i8 @tgt(i8 noundef %n) {
  %r = call i8 @llvm.smax.i8(i8 %n, i8 0)
  ret i8 %r
}
