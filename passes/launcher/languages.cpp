#include "languages.h"

#include <cstring>

namespace cc_agent {
namespace {

struct Extension {
  const char *extension;
  const char *language;
};

// clang's own list (lookupTypeForExtension); anything else goes to the linker.
constexpr Extension extensions[] = {
    {"c", "c"},
    {"i", "cpp-output"},
    {"C", "c++"},
    {"cc", "c++"},
    {"CC", "c++"},
    {"cp", "c++"},
    {"cpp", "c++"},
    {"CPP", "c++"},
    {"cxx", "c++"},
    {"CXX", "c++"},
    {"c++", "c++"},
    {"C++", "c++"},
    {"ii", "c++-cpp-output"},
    {"s", "assembler"},
    {"S", "assembler-with-cpp"},
    {"asm", "assembler"},
    {"h", "c-header"},
    {"H", "c++-header"},
    {"hh", "c++-header"},
    {"hpp", "c++-header"},
    {"hxx", "c++-header"},
    {"m", "objective-c"},
    {"mi", "objective-c-cpp-output"},
    {"mm", "objective-c++"},
    {"M", "objective-c++"},
    {"mii", "objective-c++-cpp-output"},
    {"ll", "ir"},
    {"bc", "ir"},
    {"ast", "ast"},
    {"cl", "cl"},
    {"clcpp", "clcpp"},
    {"clii", "cl-cpp-output"},
    {"cli", "cl-cpp-output"},
    {"cu", "cuda"},
    {"cui", "cuda-cpp-output"},
    {"hip", "hip"},
    {"hipi", "hip-cpp-output"},
    {"hlsl", "hlsl"},
    {"cir", "cir"},
    {"pcm", "pcm"},
    {"pch", "precompiled-header"},
    {"gch", "precompiled-header"},
    {"cppm", "c++-module"},
    {"ccm", "c++-module"},
    {"cxxm", "c++-module"},
    {"c++m", "c++-module"},
    {"iim", "c++-module-cpp-output"},
    {"iih", "c++-header-cpp-output"},
    {"ads", "ada"},
    {"adb", "ada"},
    {"f", "fortran"},
    {"F", "fortran"},
    {"for", "fortran"},
    {"FOR", "fortran"},
    {"fpp", "fortran"},
    {"FPP", "fortran"},
    {"f90", "fortran"},
    {"F90", "fortran"},
    {"f95", "fortran"},
    {"F95", "fortran"},
    {"f03", "fortran"},
    {"F03", "fortran"},
    {"f08", "fortran"},
    {"F08", "fortran"},
    {"ifs", "ifs"},
};

} // namespace

const std::string object_language = "";

std::string language_of_file(const std::string &path, bool cxx) {
  std::size_t slash = path.rfind('/');
  std::size_t dot = path.rfind('.');
  if (dot == std::string::npos || (slash != std::string::npos && dot < slash))
    return object_language;
  const char *extension = path.c_str() + dot + 1;
  for (const Extension &known : extensions) {
    if (std::strcmp(extension, known.extension) != 0)
      continue;
    std::string language = known.language;
    if (cxx && language == "c")
      return "c++";
    if (cxx && language == "cpp-output")
      return "c++-cpp-output";
    return cxx && language == "c-header" ? "c++-header" : language;
  }
  return object_language;
}

bool is_assembly(const std::string &language) {
  return language == "assembler" || language == "assembler-with-cpp";
}

bool is_tunable_language(const std::string &language) {
  return language == "c" || language == "c++" || language == "cpp-output" || language == "c++-cpp-output";
}

} // namespace cc_agent
