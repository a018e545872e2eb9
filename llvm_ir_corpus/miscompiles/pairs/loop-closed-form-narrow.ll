; wrong: n = 17: 17 * 16 does not fit into 8 bits before it is halved
define i8 @src(i8 noundef %n) {
entry:
  %none = icmp eq i8 %n, 0
  br i1 %none, label %zero, label %loop
loop:
  %i = phi i8 [ 0, %entry ], [ %next, %loop ]
  %s = phi i8 [ 0, %entry ], [ %sum, %loop ]
  %sum = add i8 %s, %i
  %next = add i8 %i, 1
  %done = icmp eq i8 %next, %n
  br i1 %done, label %end, label %loop
end:
  ret i8 %sum
zero:
  ret i8 0
}

define i8 @tgt(i8 noundef %n) {
  %m = add i8 %n, -1
  %p = mul i8 %n, %m
  %r = lshr i8 %p, 1
  ret i8 %r
}
