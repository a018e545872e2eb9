"""cc-agent: finds, proves and replays better LLVM pass plans for C and C++."""
