#include "features.h"

#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instruction.h"
#include "llvm/IR/Module.h"

using namespace llvm;

namespace cc_agent {
namespace {

enum { TotalInstructions, TotalBlocks, TotalFunctions, FirstOpcode };

/// LLVM 22 has LLVM 10's opcodes in the same order, with PtrToAddr after PtrToInt.
constexpr unsigned opcodeOfLLVM10(unsigned opcode) { return opcode < Instruction::PtrToAddr ? opcode : opcode - 1; }

static_assert(Instruction::PtrToAddr == Instruction::PtrToInt + 1, "PtrToAddr counts as PtrToInt");
static_assert(FirstOpcode + opcodeOfLLVM10(Instruction::Freeze) == std::tuple_size_v<Features>, "an opcode was added: it needs a place");

} // namespace

Features countFeatures(const Module &module) {
  Features features{};
  for (const Function &function : module) {
    ++features[TotalFunctions];
    features[TotalBlocks] += int64_t(function.size());
    for (const Instruction &instruction : instructions(function)) {
      ++features[TotalInstructions];
      ++features[FirstOpcode - 1 + opcodeOfLLVM10(instruction.getOpcode())]; // opcodes begin with 1
    }
  }
  return features;
}

} // namespace cc_agent
