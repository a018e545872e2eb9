"""The only place that knows gymnasium: compilers as environments. `docs/environment.md` is its tutorial.

Importing this makes `gymnasium.make("compiler_agent/llvm-v0")` and `gymnasium.make("compiler_agent/gcc-v0")` work.
"""

import gymnasium

ENVIRONMENT_ID = "compiler_agent/llvm-v0"
GCC_ENVIRONMENT_ID = "compiler_agent/gcc-v0"

gymnasium.register(ENVIRONMENT_ID, entry_point="compiler_agent.search.env.environment:LlvmEnv")
gymnasium.register(GCC_ENVIRONMENT_ID, entry_point="compiler_agent.search.env.gcc.environment:GccEnv")
