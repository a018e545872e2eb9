"""The vocabulary of IR2Vec's embeddings: a vector for each opcode, type and kind of operand.

LLVM 22 computes the embeddings (`Module.embedding`), but has no vocabulary with it. The one that IR2Vec's authors
trained is in their Python package, which `make ir2vec` fetches, and this module brings it into LLVM's form. Source:
VenkataKeerthy et al., "IR2Vec: LLVM IR Based Scalable Program Embeddings", ACM TACO 17(4), 2020.
"""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from pathlib import Path

from compiler_agent.base.config import native_directory
from compiler_agent.base.errors import EngineError
from compiler_agent.base.files import write_atomically
from compiler_agent.llvm.features import INST_COUNT_NAMES

N_DIMENSIONS = 300
_WHEEL_SHA256 = "db68a3196c666476f1fa2dc83a0bca5b9695ae0b0745ae8df3cd4914cf51f2cb"
_IN_WHEEL = "ir2vec/seedEmbeddingVocab.txt"
_TYPES = ("FloatTy", "VoidTy", "VectorTy", "IntegerTy", "PointerTy", "StructTy")
_OPERANDS = ("Function", "Pointer", "Constant", "Variable")


def vocabulary() -> Path:
    """The vocabulary that `make ir2vec` has made.

    Raises:
        EngineError: It has not.
    """
    path = native_directory() / "share" / "ir2vec-vocabulary.json"
    if not path.is_file():
        raise EngineError(f"{path}: there is no vocabulary of IR2Vec", hint="run `make ir2vec`")
    return path


def convert(text: str) -> str:
    """IR2Vec's own form, `name:[numbers],` by line, as LLVM's: JSON with a section for each kind of entity.

    What IR2Vec did not train (opcodes it never saw, predicates of comparisons) is not in it, and counts as zeros.
    """
    vectors: dict[str, list[float]] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, _, numbers = line.rstrip(",").partition(":")
        vectors[name.lower()] = json.loads(numbers)
    sections = {"Opcodes": INST_COUNT_NAMES[3:], "Types": _TYPES, "Arguments": _OPERANDS}
    return json.dumps(
        {
            section: {name: vectors[name.lower()] for name in names if name.lower() in vectors}
            for section, names in sections.items()
        }
    )


def main(wheel: str, destination: str) -> None:
    """Writes the vocabulary of a wheel of IR2Vec."""
    content = Path(wheel).read_bytes()
    if hashlib.sha256(content).hexdigest() != _WHEEL_SHA256:
        raise EngineError(f"{wheel}: is not the file that was reviewed", hint="remove it and run `make ir2vec` again")
    with zipfile.ZipFile(wheel) as archive:
        write_atomically(Path(destination), convert(archive.read(_IN_WHEEL).decode()).encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
