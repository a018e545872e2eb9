// A pass of ours: unroll-and-jam of loop nests where LLVM's own cannot show that it may.
#pragma once

namespace llvm {
class PassBuilder;
} // namespace llvm

namespace cc_agent {

/// Adds the pass in front of clang's vectorizers, for plans with the option -cc-agent-unroll-and-jam.
void registerUnrollAndJam(llvm::PassBuilder &builder);

} // namespace cc_agent
