// Passes that misbehave, so that tests can see the engine survive them.
#pragma once

namespace llvm {
class PassBuilder;
}

namespace cc_agent {

/// Registers cc-agent-test-crash, -abort, -hang, -eat-memory, -fatal-error, -invalid and -miscompile when CC_AGENT_TEST_PASSES=1.
void registerTestPasses(llvm::PassBuilder &builder);

} // namespace cc_agent
