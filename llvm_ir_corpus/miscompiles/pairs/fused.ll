; wrong: x * y is rounded once instead of twice
declare float @llvm.fma.f32(float, float, float)
define float @src(float %x, float %y, float %z) {
  %p = fmul float %x, %y
  %r = fadd float %p, %z
  ret float %r
}

define float @tgt(float %x, float %y, float %z) {
  %r = call float @llvm.fma.f32(float %x, float %y, float %z)
  ret float %r
}
