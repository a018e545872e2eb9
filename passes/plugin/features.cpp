#include "features.h"

#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instruction.h"
#include "llvm/IR/Module.h"

using namespace llvm;

namespace cc_agent {
namespace {

/// LLVM 22 has LLVM 10's opcodes in the same order, with PtrToAddr after PtrToInt.
constexpr unsigned opcodeOfLLVM10(unsigned opcode) { return opcode < Instruction::PtrToAddr ? opcode : opcode - 1; }

static_assert(Instruction::PtrToAddr == Instruction::PtrToInt + 1, "PtrToAddr counts as PtrToInt");
static_assert(FirstOpcode + opcodeOfLLVM10(Instruction::Freeze) == std::tuple_size_v<InstCount>, "an opcode was added: it needs a place");

} // namespace

size_t placeOfOpcode(unsigned opcode) { return FirstOpcode - 1 + opcodeOfLLVM10(opcode); } // opcodes begin with 1

InstCount countInstructions(const Module &module) {
  InstCount counts{};
  for (const Function &function : module) {
    ++counts[TotalFunctions];
    counts[TotalBlocks] += int64_t(function.size());
    for (const Instruction &instruction : instructions(function)) {
      ++counts[TotalInstructions];
      ++counts[placeOfOpcode(instruction.getOpcode())];
    }
  }
  return counts;
}

} // namespace cc_agent
