; What returnInt counts: calls of a function that is known and whose type is that of the call, if its type returns an integer.

declare i32 @number()
declare i1 @truth()
declare i32 @variadic(ptr, ...)
declare i8 @llvm.ctpop.i8(i8)
declare ptr @pointer()
declare void @nothing()
declare <2 x i32> @vector()

; 11 instructions; returnInt 4; const32Bit and numConstOnes: the variadic argument.
define i32 @calls(ptr %function, i8 %x, i64 %n) {
  %a = call i32 @number()                                  ; counts
  %b = call i1 @truth()                                    ; counts: an integer of any width
  %c = call i32 (ptr, ...) @variadic(ptr %function, i32 1) ; counts
  %d = call i8 @llvm.ctpop.i8(i8 %x)                       ; counts
  %e = call ptr @pointer()                                 ; does not
  call void @nothing()                                     ; does not
  %f = call <2 x i32> @vector()                            ; does not
  %g = call i32 %function()                                ; does not: not known
  %h = call i64 @number(i64 %n)                            ; does not: another type
  %i = call i32 asm "", "=r"()                             ; does not
  ret i32 %a
}
