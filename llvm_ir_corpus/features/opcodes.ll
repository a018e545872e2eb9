; The opcodes that are no terminators and not in arithmetic.ll. Unary in Autophase's sense (testUnary): 1 + 10 + 4 + 1 = 16.

; 9 instructions; fneg is unary.
define float @floats(float %a, float %b) {
  %negated = fneg float %a
  %sum = fadd float %negated, %b
  %difference = fsub float %sum, %b
  %product = fmul float %difference, %b
  %quotient = fdiv float %product, %b
  %remainder = frem float %quotient, %b
  %less = fcmp olt float %remainder, %b
  %chosen = select i1 %less, float %a, float %b
  ret float %chosen
}

; 5 instructions.
define i32 @divisions(i32 %a, i32 %b) {
  %unsigned = udiv i32 %a, %b
  %signed = sdiv i32 %unsigned, %b
  %unsigned.rest = urem i32 %signed, %b
  %signed.rest = srem i32 %unsigned.rest, %b
  ret i32 %signed.rest
}

; 11 instructions, 10 of them casts, which are unary. LLVM 10 has no ptrtoaddr: it counts as a second ptrtoint.
define i64 @conversions(float %f, i64 %n, ptr %p) {
  %unsigned = fptoui float %f to i32
  %signed = fptosi float %f to i32
  %of.unsigned = uitofp i32 %unsigned to float
  %of.signed = sitofp i32 %signed to float
  %double = fpext float %of.signed to double
  %single = fptrunc double %double to float
  %number = ptrtoint ptr %p to i64
  %address = ptrtoaddr ptr %p to i64
  %pointer = inttoptr i64 %n to ptr
  %elsewhere = addrspacecast ptr %pointer to ptr addrspace(1)
  ret i64 %number
}

; 13 instructions; alloca, load, extractvalue and freeze are unary. The alloca's array size, which is not written, is i32 1:
; const32Bit and numConstOnes. Indices of extractvalue and insertvalue are no operands.
; TotalMemInst: 1 alloca + 1 store + 3 getelementptr + 1 load = 6; fence, cmpxchg and atomicrmw are not of it.
define i32 @memory(ptr %p, i32 %x, i64 %offset) {
  %local = alloca i64
  store i32 %x, ptr %local
  %first = getelementptr i8, ptr %p, i64 %offset
  %second = getelementptr i8, ptr %first, i64 %offset
  %third = getelementptr i8, ptr %second, i64 %offset
  %value = load i32, ptr %third
  fence seq_cst
  %exchanged = cmpxchg ptr %p, i32 %x, i32 %value seq_cst seq_cst
  %old = extractvalue { i32, i1 } %exchanged, 0
  %again = insertvalue { i32, i1 } %exchanged, i32 %x, 0
  %before = atomicrmw add ptr %p, i32 %old seq_cst
  %frozen = freeze i32 %before
  ret i32 %frozen
}

; 5 instructions. A shuffle's mask is no ConstantInt.
define i32 @vectors(<4 x i32> %v, i64 %place) {
  %element = extractelement <4 x i32> %v, i64 %place
  %inserted = insertelement <4 x i32> %v, i32 %element, i64 %place
  %shuffled = shufflevector <4 x i32> %inserted, <4 x i32> %v, <4 x i32> <i32 0, i32 1, i32 4, i32 5>
  %first = extractelement <4 x i32> %shuffled, i64 %place
  ret i32 %first
}

; 4 instructions; va_arg is unary.
define i32 @variadic(ptr %arguments, ...) {
  %next = va_arg ptr %arguments, i32
  %above = icmp sgt i32 %next, %next
  %below = icmp slt i32 %next, %next
  ret i32 %next
}
