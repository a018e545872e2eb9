; Each operation a number of times of its own, so that none can be taken for another.

; 1 + 2 + … + 9 binary operations, 8 truncations (unary) and a return: 54 instructions, which is BlockMid.
define i32 @integers(i32 %x, i32 %y, i64 %wide) {
  %add.1 = add i32 %x, %y
  %sub.1 = sub i32 %x, %y
  %sub.2 = sub i32 %x, %y
  %mul.1 = mul i32 %x, %y
  %mul.2 = mul i32 %x, %y
  %mul.3 = mul i32 %x, %y
  %shl.1 = shl i32 %x, %y
  %shl.2 = shl i32 %x, %y
  %shl.3 = shl i32 %x, %y
  %shl.4 = shl i32 %x, %y
  %lshr.1 = lshr i32 %x, %y
  %lshr.2 = lshr i32 %x, %y
  %lshr.3 = lshr i32 %x, %y
  %lshr.4 = lshr i32 %x, %y
  %lshr.5 = lshr i32 %x, %y
  %ashr.1 = ashr i32 %x, %y
  %ashr.2 = ashr i32 %x, %y
  %ashr.3 = ashr i32 %x, %y
  %ashr.4 = ashr i32 %x, %y
  %ashr.5 = ashr i32 %x, %y
  %ashr.6 = ashr i32 %x, %y
  %and.1 = and i32 %x, %y
  %and.2 = and i32 %x, %y
  %and.3 = and i32 %x, %y
  %and.4 = and i32 %x, %y
  %and.5 = and i32 %x, %y
  %and.6 = and i32 %x, %y
  %and.7 = and i32 %x, %y
  %or.1 = or i32 %x, %y
  %or.2 = or i32 %x, %y
  %or.3 = or i32 %x, %y
  %or.4 = or i32 %x, %y
  %or.5 = or i32 %x, %y
  %or.6 = or i32 %x, %y
  %or.7 = or i32 %x, %y
  %or.8 = or i32 %x, %y
  %xor.1 = xor i32 %x, %y
  %xor.2 = xor i32 %x, %y
  %xor.3 = xor i32 %x, %y
  %xor.4 = xor i32 %x, %y
  %xor.5 = xor i32 %x, %y
  %xor.6 = xor i32 %x, %y
  %xor.7 = xor i32 %x, %y
  %xor.8 = xor i32 %x, %y
  %xor.9 = xor i32 %x, %y
  %trunc.1 = trunc i64 %wide to i32
  %trunc.2 = trunc i64 %wide to i32
  %trunc.3 = trunc i64 %wide to i32
  %trunc.4 = trunc i64 %wide to i32
  %trunc.5 = trunc i64 %wide to i32
  %trunc.6 = trunc i64 %wide to i32
  %trunc.7 = trunc i64 %wide to i32
  %trunc.8 = trunc i64 %wide to i32
  ret i32 %add.1
}

; 2 + 3 + 4 casts (unary) and a return: 10 instructions, which is BlockLow.
define i64 @casts(i32 %x, double %d) {
  %zext.1 = zext i32 %x to i64
  %zext.2 = zext i32 %x to i64
  %sext.1 = sext i32 %x to i64
  %sext.2 = sext i32 %x to i64
  %sext.3 = sext i32 %x to i64
  %bitcast.1 = bitcast double %d to i64
  %bitcast.2 = bitcast double %d to i64
  %bitcast.3 = bitcast double %d to i64
  %bitcast.4 = bitcast double %d to i64
  ret i64 %zext.1
}
