// Languages of inputs, by the names that clang's -x takes.
#pragma once

#include <string>

namespace cc_agent {

extern const std::string object_language; // Not a language: an input for the linker.

// By the file's extension, as clang decides it. `cxx`: the driver is clang++, to which C is C++.
std::string language_of_file(const std::string &path, bool cxx);

bool is_assembly(const std::string &language);

// Whether the language is one that plans are for: C or C++, possibly preprocessed already.
bool is_tunable_language(const std::string &language);

} // namespace cc_agent
