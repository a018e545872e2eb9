; right: it reads and writes nothing, returns, and its result is not used
declare i32 @pure(i32) memory(none) nounwind willreturn
define i32 @src(i32 %x) {
  %u = call i32 @pure(i32 %x)
  ret i32 %x
}

define i32 @tgt(i32 %x) {
  ret i32 %x
}
