"""LLVM as values: plans, pipelines, the catalog, the toolchain and the engine."""
