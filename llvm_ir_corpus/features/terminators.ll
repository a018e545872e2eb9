; The terminators, but those of Windows' exceptions: funclets.ll. Beside each label: predecessor edges > successor edges.
; NumEdges 2 + 3 + 2 + 5 = 12, CriticalCount 0 + 1 + 0 + 3 = 4.

declare i32 @__gxx_personality_v0(...)
declare i32 @may_throw()

; 4 instructions. An invoke is of TotalMemInst, but no call: not in NumCallInst and returnInt.
define i32 @throws() personality ptr @__gxx_personality_v0 {
entry: ; 0 > 2
  %value = invoke i32 @may_throw() to label %normal unwind label %handler
normal: ; 1 > 0
  ret i32 %value
handler: ; 1 > 0
  %pad = landingpad { ptr, i32 } cleanup
  resume { ptr, i32 } %pad
}

; 3 instructions. The edge from entry to there is critical. An indirectbr is no branch.
define void @jumps(ptr %target) {
entry: ; 0 > 2
  indirectbr ptr %target, [label %here, label %there]
here: ; 1 > 1
  br label %there
there: ; 2 > 0
  unreachable
}

; 3 instructions. A callbr is no call.
define void @assembly() {
entry: ; 0 > 2
  callbr void asm sideeffect "", "!i"() to label %after [label %elsewhere]
after: ; 1 > 0
  ret void
elsewhere: ; 1 > 0
  ret void
}

; 3 instructions. Each of the three edges from entry to other is critical. The case values are constants, too (LLVM 22 does
; not have them among the operands any more): 0, 1, 7 and the 0 that is returned are const32Bit 4, numConstZeroes 2, numConstOnes 1.
define i32 @selects(i32 %x) {
entry: ; 0 > 4: neither oneSuccessor nor twoSuccessor
  switch i32 %x, label %other [ i32 0, label %zero
                                i32 1, label %other
                                i32 7, label %other ]
zero: ; 1 > 1
  br label %other
other: ; 4 > 0
  ret i32 0
}
