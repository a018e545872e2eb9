define i32 @"branch-swapped"(i1 %c) {
  br i1 %c, label %left, label %right
left:
  ret i32 1
right:
  ret i32 2
}
define i32 @"branch-swapped.after"(i1 %c) {
  br i1 %c, label %right, label %left
left:
  ret i32 1
right:
  ret i32 2
}
define i32 @"branch-folded"(i1 %c) {
  br i1 %c, label %left, label %right
left:
  ret i32 1
right:
  ret i32 2
}
define i32 @"branch-folded.after"(i1 %c) {
  br label %left
left:
  ret i32 1
right:
  ret i32 2
}
define i32 @"switch-case-dropped"(i32 %a) {
  switch i32 %a, label %other [
    i32 3, label %three
    i32 5, label %five
  ]
three:
  br label %other
five:
  ret i32 9
other:
  %r = phi i32 [ 0, %0 ], [ 7, %three ]
  ret i32 %r
}
define i32 @"switch-case-dropped.after"(i32 %a) {
  switch i32 %a, label %other [
    i32 5, label %five
  ]
three:
  br label %other
five:
  ret i32 9
other:
  %r = phi i32 [ 0, %0 ], [ 7, %three ]
  ret i32 %r
}
define i32 @"switch-case-value"(i32 %a) {
  switch i32 %a, label %other [
    i32 3, label %three
    i32 5, label %five
  ]
three:
  ret i32 7
five:
  ret i32 9
other:
  ret i32 0
}
define i32 @"switch-case-value.after"(i32 %a) {
  switch i32 %a, label %other [
    i32 4, label %three
    i32 5, label %five
  ]
three:
  ret i32 7
five:
  ret i32 9
other:
  ret i32 0
}
define i32 @"switch-case-target"(i32 %a) {
  switch i32 %a, label %other [
    i32 3, label %three
    i32 5, label %five
  ]
three:
  ret i32 7
five:
  ret i32 9
other:
  ret i32 0
}
define i32 @"switch-case-target.after"(i32 %a) {
  switch i32 %a, label %other [
    i32 5, label %three
    i32 3, label %five
  ]
three:
  ret i32 7
five:
  ret i32 9
other:
  ret i32 0
}
define i32 @"division-speculated"(i32 %a, i32 %b) {
  %zero = icmp eq i32 %b, 0
  br i1 %zero, label %none, label %divide
divide:
  %q = sdiv i32 %a, %b
  ret i32 %q
none:
  ret i32 0
}
define i32 @"division-speculated.after"(i32 %a, i32 %b) {
  %zero = icmp eq i32 %b, 0
  %q = sdiv i32 %a, %b
  br i1 %zero, label %none, label %divide
divide:
  ret i32 %q
none:
  ret i32 0
}
define void @"loop-bound-more"(ptr %p, i64 %n) {
  br label %loop
loop:
  %i = phi i64 [ 0, %0 ], [ %next, %loop ]
  %at = getelementptr i8, ptr %p, i64 %i
  store i8 1, ptr %at
  %next = add i64 %i, 2
  %done = icmp uge i64 %next, %n
  br i1 %done, label %end, label %loop
end:
  ret void
}
define void @"loop-bound-more.after"(ptr %p, i64 %n) {
  br label %loop
loop:
  %i = phi i64 [ 0, %0 ], [ %next, %loop ]
  %at = getelementptr i8, ptr %p, i64 %i
  store i8 1, ptr %at
  %next = add i64 %i, 2
  %m = add i64 %n, 2
  %done = icmp uge i64 %next, %m
  br i1 %done, label %end, label %loop
end:
  ret void
}
define void @"loop-bound-less"(ptr %p, i64 %n) {
  br label %loop
loop:
  %i = phi i64 [ 0, %0 ], [ %next, %loop ]
  %at = getelementptr i8, ptr %p, i64 %i
  store i8 1, ptr %at
  %next = add i64 %i, 1
  %done = icmp uge i64 %next, 100
  br i1 %done, label %end, label %loop
end:
  ret void
}
define void @"loop-bound-less.after"(ptr %p, i64 %n) {
  br label %loop
loop:
  %i = phi i64 [ 0, %0 ], [ %next, %loop ]
  %at = getelementptr i8, ptr %p, i64 %i
  store i8 1, ptr %at
  %next = add i64 %i, 1
  %done = icmp uge i64 %next, 99
  br i1 %done, label %end, label %loop
end:
  ret void
}
define void @"loop-first-skipped"(ptr %p, i64 %n) {
  br label %loop
loop:
  %i = phi i64 [ 0, %0 ], [ %next, %loop ]
  %at = getelementptr i8, ptr %p, i64 %i
  store i8 1, ptr %at
  %next = add i64 %i, 1
  %done = icmp uge i64 %next, 100
  br i1 %done, label %end, label %loop
end:
  ret void
}
define void @"loop-first-skipped.after"(ptr %p, i64 %n) {
  br label %loop
loop:
  %i = phi i64 [ 1, %0 ], [ %next, %loop ]
  %at = getelementptr i8, ptr %p, i64 %i
  store i8 1, ptr %at
  %next = add i64 %i, 1
  %done = icmp uge i64 %next, 100
  br i1 %done, label %end, label %loop
end:
  ret void
}
define i64 @"loop-result-stale"(i64 %n) {
  br label %loop
loop:
  %s = phi i64 [ 1, %0 ], [ %product, %loop ]
  %product = mul i64 %s, 3
  %done = icmp uge i64 %product, %n
  br i1 %done, label %end, label %loop
end:
  ret i64 %product
}
define i64 @"loop-result-stale.after"(i64 %n) {
  br label %loop
loop:
  %s = phi i64 [ 1, %0 ], [ %product, %loop ]
  %product = mul i64 %s, 3
  %done = icmp uge i64 %product, %n
  br i1 %done, label %end, label %loop
end:
  ret i64 %s
}
define void @"load-hoisted-out-of-loop"(ptr %p, ptr %length) {
  br label %loop
loop:
  %i = phi i64 [ 0, %0 ], [ %next, %loop ]
  %at = getelementptr i8, ptr %p, i64 %i
  store i8 1, ptr %at
  %next = add i64 %i, 1
  %n = load i64, ptr %length
  %done = icmp uge i64 %next, %n
  br i1 %done, label %end, label %loop
end:
  ret void
}
define void @"load-hoisted-out-of-loop.after"(ptr %p, ptr %length) {
  %n = load i64, ptr %length
  br label %loop
loop:
  %i = phi i64 [ 0, %0 ], [ %next, %loop ]
  %at = getelementptr i8, ptr %p, i64 %i
  store i8 1, ptr %at
  %next = add i64 %i, 1
  %done = icmp uge i64 %next, %n
  br i1 %done, label %end, label %loop
end:
  ret void
}

; Calls.
declare void @effect(i32)
declare i32 @answer(i32, i32)
define void @"call-dropped"(i32 %a) {
  call void @effect(i32 %a)
  ret void
}
define void @"call-dropped.after"(i32 %a) {
  ret void
}
define void @"call-repeated"(i32 %a) {
  call void @effect(i32 %a)
  ret void
}
define void @"call-repeated.after"(i32 %a) {
  call void @effect(i32 %a)
  call void @effect(i32 %a)
  ret void
}
define void @"call-reordered"(i32 %a, i32 %b) {
  call void @effect(i32 %a)
  call void @effect(i32 %b)
  ret void
}
define void @"call-reordered.after"(i32 %a, i32 %b) {
  call void @effect(i32 %b)
  call void @effect(i32 %a)
  ret void
}
define void @"call-speculated"(i1 %c, i32 %a) {
  br i1 %c, label %do, label %end
do:
  call void @effect(i32 %a)
  br label %end
end:
  ret void
}
define void @"call-speculated.after"(i1 %c, i32 %a) {
  call void @effect(i32 %a)
  br i1 %c, label %do, label %end
do:
  br label %end
end:
  ret void
}
define i32 @"call-arguments-swapped"(i32 %a, i32 %b) {
  %r = call i32 @answer(i32 %a, i32 %b)
  ret i32 %r
}
define i32 @"call-arguments-swapped.after"(i32 %a, i32 %b) {
  %r = call i32 @answer(i32 %b, i32 %a)
  ret i32 %r
}
define i32 @"call-result-assumed"(i32 %a, i32 %b) {
  %r = call i32 @answer(i32 %a, i32 %b)
  ret i32 %r
}
define i32 @"call-result-assumed.after"(i32 %a, i32 %b) {
  %r = call i32 @answer(i32 %a, i32 %b)
  ret i32 0
}
define i32 @"call-merged"(i32 %a, i32 %b) {
  %r = call i32 @answer(i32 %a, i32 %b)
  %s = call i32 @answer(i32 %a, i32 %b)
  %sum = add i32 %r, %s
  ret i32 %sum
}
define i32 @"call-merged.after"(i32 %a, i32 %b) {
  %r = call i32 @answer(i32 %a, i32 %b)
  %sum = add i32 %r, %r
  ret i32 %sum
}
