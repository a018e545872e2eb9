; Shapes of the control flow graph. Beside each label: predecessor edges > successor edges.
; NumEdges 10 + 5 = 15, CriticalCount 5 + 1 = 6, UncondBranches 2 + 3 = 5.

; 7 instructions. Critical: entry to right, left to right, left to join, and both edges from right to join.
define void @diamond_and_loop(i1 %c) {
entry: ; 0 > 2
  br i1 %c, label %left, label %right
left: ; 1 > 2
  br i1 %c, label %right, label %join
right: ; 2 > 2
  br i1 %c, label %join, label %join
join: ; 3 > 1
  br label %loop
loop: ; 2 > 2
  br i1 %c, label %latch, label %exit
latch: ; 1 > 1
  br label %loop
exit: ; 1 > 0
  ret void
}

; 5 instructions. Critical: entry to merge. What cannot be reached counts as well.
define void @triangle(i1 %c) {
entry: ; 0 > 2
  br i1 %c, label %body, label %merge
body: ; 1 > 1
  br label %merge
merge: ; 2 > 1
  br label %end
end: ; 2 > 0
  ret void
unreached: ; 0 > 1
  br label %end
}
