"""The only place that knows gymnasium: LLVM's optimizer as an environment. `docs/environment.md` is its tutorial."""

import gymnasium

ENVIRONMENT_ID = "compiler_agent/llvm-v0"


def register() -> None:
    """Makes `gymnasium.make("compiler_agent/llvm-v0")` work; gymnasium calls this itself: it is an entry point."""
    if ENVIRONMENT_ID not in gymnasium.registry:
        gymnasium.register(ENVIRONMENT_ID, entry_point="compiler_agent.search.env.environment:LlvmEnv")


register()
