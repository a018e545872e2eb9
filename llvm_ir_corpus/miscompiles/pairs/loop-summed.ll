; right: 0 + 1 + 2 + 3 + 4 is 10
define i8 @src() {
entry:
  br label %loop
loop:
  %i = phi i8 [ 0, %entry ], [ %next, %loop ]
  %s = phi i8 [ 0, %entry ], [ %sum, %loop ]
  %sum = add i8 %s, %i
  %next = add i8 %i, 1
  %done = icmp eq i8 %next, 5
  br i1 %done, label %end, label %loop
end:
  ret i8 %sum
}

define i8 @tgt() {
  ret i8 10
}
