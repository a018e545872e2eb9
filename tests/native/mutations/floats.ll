define double @"float-reassociated"(double %a, double %b, double %c) {
  %s = fadd double %a, %b
  %r = fadd double %s, %c
  ret double %r
}
define double @"float-reassociated.after"(double %a, double %b, double %c) {
  %s = fadd double %b, %c
  %r = fadd double %a, %s
  ret double %r
}
define float @"float-contracted"(float %a, float %b, float %c) {
  %p = fmul float %a, %b
  %r = fadd float %p, %c
  ret float %r
}
define float @"float-contracted.after"(float %a, float %b, float %c) {
  %x = fpext float %a to double
  %y = fpext float %b to double
  %p = fmul double %x, %y
  %z = fpext float %c to double
  %s = fadd double %p, %z
  %r = fptrunc double %s to float
  ret float %r
}
define double @"float-negation-lost"(double %a) {
  %r = fneg double %a
  ret double %r
}
define double @"float-negation-lost.after"(double %a) {
  ret double %a
}
define double @"float-negative-zero"(double %a) {
  %r = fneg double %a
  ret double %r
}
define double @"float-negative-zero.after"(double %a) {
  %r = fsub double 0.0, %a
  ret double %r
}
define double @"float-reciprocal"(double %a, double %b) {
  %r = fdiv double %a, %b
  ret double %r
}
define double @"float-reciprocal.after"(double %a, double %b) {
  %i = fdiv double 1.0, %b
  %r = fmul double %a, %i
  ret double %r
}
define i1 @"float-nan-forgotten"(double %a, double %b) {
  %r = fcmp olt double %a, %b
  ret i1 %r
}
define i1 @"float-nan-forgotten.after"(double %a, double %b) {
  %r = fcmp ult double %a, %b
  ret i1 %r
}
define double @"float-conversion-sign"(i32 %a) {
  %r = sitofp i32 %a to double
  ret double %r
}
define double @"float-conversion-sign.after"(i32 %a) {
  %r = uitofp i32 %a to double
  ret double %r
}
define double @"float-rounding-skipped"(double %a) {
  %t = fptrunc double %a to float
  %r = fpext float %t to double
  ret double %r
}
define double @"float-rounding-skipped.after"(double %a) {
  ret double %a
}
define double @"float-narrowed"(double %a, double %b) {
  %r = fmul double %a, %b
  ret double %r
}
define double @"float-narrowed.after"(double %a, double %b) {
  %p = fmul double %a, %b
  %t = fptrunc double %p to float
  %r = fpext float %t to double
  ret double %r
}

; Which of several values is taken.
define i32 @"select-inverted"(i1 %c, i32 %a, i32 %b) {
  %r = select i1 %c, i32 %a, i32 %b
  ret i32 %r
}
define i32 @"select-inverted.after"(i1 %c, i32 %a, i32 %b) {
  %r = select i1 %c, i32 %b, i32 %a
  ret i32 %r
}
define i32 @"select-folded"(i1 %c, i32 %a, i32 %b) {
  %r = select i1 %c, i32 %a, i32 %b
  ret i32 %r
}
define i32 @"select-folded.after"(i1 %c, i32 %a, i32 %b) {
  ret i32 %a
}
define i32 @"phi-wrong-edge"(i1 %c, i32 %a, i32 %b) {
  br i1 %c, label %left, label %right
left:
  br label %join
right:
  br label %join
join:
  %r = phi i32 [ %a, %left ], [ %b, %right ]
  ret i32 %r
}
define i32 @"phi-wrong-edge.after"(i1 %c, i32 %a, i32 %b) {
  br i1 %c, label %left, label %right
left:
  br label %join
right:
  br label %join
join:
  %r = phi i32 [ %b, %left ], [ %a, %right ]
  ret i32 %r
}
define i32 @"return-value"(i32 %a) {
  %r = add i32 %a, 1
  ret i32 %r
}
define i32 @"return-value.after"(i32 %a) {
  %r = add i32 %a, 1
  ret i32 0
}
define i32 @"vector-wrong-lane"(<4 x i32> %v) {
  %r = extractelement <4 x i32> %v, i64 3
  ret i32 %r
}
define i32 @"vector-wrong-lane.after"(<4 x i32> %v) {
  %r = extractelement <4 x i32> %v, i64 0
  ret i32 %r
}
@counter = global i32 5
define i32 @"global-assumed-constant"() {
  %r = load i32, ptr @counter
  ret i32 %r
}
define i32 @"global-assumed-constant.after"() {
  ret i32 5
}
define i32 @"wrong-argument"(i32 %a, i64 %other, i32 %b) {
  %r = xor i32 %a, 5
  ret i32 %r
}
define i32 @"wrong-argument.after"(i32 %a, i64 %other, i32 %b) {
  %r = xor i32 %b, 5
  ret i32 %r
}
