; Phis at the limits of what Autophase tells apart. Beside each label: predecessor edges > successor edges; phis with incoming values.
; NumEdges 3 + 5 + 6 + 3 = 17, CriticalCount 1 + 5 + 6 + 0 = 12, ArgsPhi 4 + 5 + 6 + 12 = 27.

; 5 instructions. Incoming constants are operands: 5 is const32Bit, 0 and 1 are const64Bit. Critical: entry to two.
define i32 @two_phis(i1 %c, i32 %x) {
entry: ; 0 > 2
  br i1 %c, label %one, label %two
one: ; 1 > 1
  br label %two
two: ; 2 > 0; 2 phis with 4 values: BB03Phi, BBNumArgsLo; BeginPhi counts the block, not the phis
  %a = phi i32 [ %x, %entry ], [ 5, %one ]
  %b = phi i64 [ 0, %entry ], [ 1, %one ]
  ret i32 %a
}

; 3 instructions. 4 case values are const32Bit; all 5 edges are critical.
define i32 @five_values(i32 %x) {
entry: ; 0 > 5
  switch i32 %x, label %merge [ i32 2, label %merge
                                i32 3, label %merge
                                i32 4, label %merge
                                i32 5, label %merge ]
merge: ; 5 > 0; 1 phi with 5 values: still BBNumArgsLo
  %m = phi i32 [ %x, %entry ], [ %x, %entry ], [ %x, %entry ], [ %x, %entry ], [ %x, %entry ]
  ret i32 %m
}

; 3 instructions. 5 case values are const32Bit; all 6 edges are critical.
define i32 @six_values(i32 %x) {
entry: ; 0 > 6
  switch i32 %x, label %merge [ i32 2, label %merge
                                i32 3, label %merge
                                i32 4, label %merge
                                i32 5, label %merge
                                i32 6, label %merge ]
merge: ; 6 > 0; 1 phi with 6 values: BBNumArgsHi
  %m = phi i32 [ %x, %entry ], [ %x, %entry ], [ %x, %entry ], [ %x, %entry ], [ %x, %entry ], [ %x, %entry ]
  ret i32 %m
}

; 16 instructions.
define i32 @many_phis(i32 %x) {
entry: ; 0 > 1
  br label %three
three: ; 1 > 1; 3 phis with 3 values: still BB03Phi
  %a.1 = phi i32 [ %x, %entry ]
  %a.2 = phi i32 [ %x, %entry ]
  %a.3 = phi i32 [ %x, %entry ]
  br label %four
four: ; 1 > 1; 4 phis with 4 values: BBHiPhi, BBNumArgsLo
  %b.1 = phi i32 [ %x, %three ]
  %b.2 = phi i32 [ %x, %three ]
  %b.3 = phi i32 [ %x, %three ]
  %b.4 = phi i32 [ %x, %three ]
  br label %five
five: ; 1 > 0; 5 phis with 5 values: BBHiPhi, BBNumArgsLo
  %c.1 = phi i32 [ %x, %four ]
  %c.2 = phi i32 [ %x, %four ]
  %c.3 = phi i32 [ %x, %four ]
  %c.4 = phi i32 [ %x, %four ]
  %c.5 = phi i32 [ %x, %four ]
  ret i32 %c.5
}
