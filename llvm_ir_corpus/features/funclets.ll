; The instructions of Windows' exceptions. Beside each label: predecessor edges > successor edges.
target triple = "x86_64-pc-windows-msvc"

declare i32 @__CxxFrameHandler3(...)
declare void @may_throw()

; 7 instructions. NumEdges 2 + 2 + 1 = 5; the edge from entry to done is critical. const32Bit: the 64 of the catchpad.
define void @catches() personality ptr @__CxxFrameHandler3 {
entry: ; 0 > 2
  invoke void @may_throw() to label %done unwind label %dispatch
dispatch: ; 1 > 2, the handler and where it unwinds to
  %switch = catchswitch within none [label %handler] unwind label %cleanup
handler: ; 1 > 1, which is no branch
  %catch = catchpad within %switch [ptr null, i32 64, ptr null]
  catchret from %catch to label %done
cleanup: ; 1 > 0
  %pad = cleanuppad within none []
  cleanupret from %pad unwind to caller
done: ; 2 > 0
  ret void
}
