"""The only place that knows gymnasium: LLVM's optimizer as an environment. `docs/environment.md` is its tutorial.

Importing this makes `gymnasium.make("compiler_agent/llvm-v0")` work.
"""

import gymnasium

ENVIRONMENT_ID = "compiler_agent/llvm-v0"

gymnasium.register(ENVIRONMENT_ID, entry_point="compiler_agent.search.env.environment:LlvmEnv")
