; right: p can be loaded from on both sides
define i32 @src(i1 %c, ptr align 4 dereferenceable(4) %p) nofree nosync {
  br i1 %c, label %none, label %some
some:
  %v = load i32, ptr %p, align 4
  ret i32 %v
none:
  ret i32 0
}

define i32 @tgt(i1 %c, ptr align 4 dereferenceable(4) %p) nofree nosync {
  %v = load i32, ptr %p, align 4
  %r = select i1 %c, i32 0, i32 %v
  ret i32 %r
}
