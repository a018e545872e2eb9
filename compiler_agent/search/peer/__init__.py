"""Another compiler's environment, in a process of its own, as a place where our strategies run.

The one that there is is the old CompilerGym (LLVM 10): `benchmarks/compiler_gym/adapter.py` answers for it.
"""
