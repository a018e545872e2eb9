; right: n * (n - 1) / 2 in twice the width, which cannot overflow
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
  %w = zext i8 %n to i16
  %m = add i16 %w, -1
  %p = mul i16 %w, %m
  %h = lshr i16 %p, 1
  %r = trunc i16 %h to i8
  ret i8 %r
}
