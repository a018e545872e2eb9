"""Translation validation: does the optimized function do nothing that the other could not do?

`validate_modules` is the entry; `docs/validation.md` says what is modelled and what a proof rests on.
"""

from compiler_agent.evaluation.validate.modules import validate_modules
from compiler_agent.evaluation.validate.verdict import FunctionVerdict, Outcome

__all__ = ["FunctionVerdict", "Outcome", "validate_modules"]
