; Constant operands.

@global = global i32 0

declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1 immarg)

; 14 instructions. const32Bit 4, const64Bit 5, numConstZeroes 3, numConstOnes 6; 2 allocas are unary.
; TotalMemInst: 2 alloca + 1 getelementptr + 1 call + 8 store = 12.
define i64 @operands(ptr %p, i32 %x) {
  %array = alloca i32, i64 8                                              ; 64
  %byte = alloca i8                                                       ; 32, one: the array size i32 1
  %field = getelementptr { i32, i32 }, ptr %p, i64 0, i32 1               ; 64, zero; 32, one
  call void @llvm.memcpy.p0.p0.i64(ptr %array, ptr %p, i64 16, i1 false)  ; 64; zero: i1 false
  store i32 7, ptr %field                                                 ; 32
  store i8 1, ptr %byte                                                   ; one
  store i128 1, ptr %p                                                    ; one
  %chosen = select i1 true, i32 %x, i32 -1                                ; one: i1 true; 32
  store ptr null, ptr %p                                                  ; none: no ConstantInt
  store double 0.0, ptr %p                                                ; none
  store <2 x i32> <i32 0, i32 1>, ptr %p                                  ; none
  store <2 x i32> splat (i32 1), ptr %p                                   ; none
  store i64 0, ptr %p                                                     ; 64, zero
  ret i64 1                                                               ; 64, one
}

; 11 instructions. binaryConstArg 7, const32Bit 5, numConstZeroes 1, numConstOnes 2; fneg is unary.
define i32 @binary(i32 %x, float %f, <2 x i32> %v, i64 %n) {
  %right = add i32 %x, 3                                  ; counts; 32
  %left = sub i32 0, %x                                   ; counts; 32, zero
  %neither = mul i32 %right, %left                        ; does not count
  %both = shl i32 1, 2                                    ; counts once; 32, one; 32
  %float = fadd float %f, 1.0                             ; counts, and is no ConstantInt
  %undefined = and i32 %neither, undef                    ; counts
  %vector = xor <2 x i32> %v, splat (i32 -1)              ; counts
  %expression = or i64 %n, ptrtoint (ptr @global to i64)  ; counts
  %compared = icmp eq i32 %x, 1                           ; does not: no BinaryOperator; 32, one
  %negated = fneg float 2.0                               ; does not
  ret i32 %both
}
