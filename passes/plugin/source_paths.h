// Paths of sources that the compiler leaves in a module's strings: their directories are not code.
#pragma once
#include "llvm/ADT/StringRef.h"
#include <string>

namespace cc_agent {

/// Whether `text` is what `__FILE__` leaves behind: a path to a C or C++ source or header. White space is taken for part of
/// a path only where the text cannot be a sentence.
bool looksLikeSourcePath(llvm::StringRef text, llvm::StringRef ownDirectory);

/// `text` with the directories taken out of what clang calls nameless types, as `__PRETTY_FUNCTION__` spells them:
/// `(lambda at DIRECTORY/FILE:LINE:COLUMN)`.
std::string withoutTypeDirectories(llvm::StringRef text);

} // namespace cc_agent
