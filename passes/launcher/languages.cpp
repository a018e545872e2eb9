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
    {"clii", "clcpp-cpp-output"},
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
    {"iih", "c++-header-unit-cpp-output"},
    {"ads", "ada"},
    {"adb", "ada"},
    {"f", "f95-cpp-input"},
    {"F", "f95"},
    {"for", "f95-cpp-input"},
    {"FOR", "f95-cpp-input"},
    {"fpp", "f95"},
    {"FPP", "f95"},
    {"f90", "f95-cpp-input"},
    {"F90", "f95"},
    {"f95", "f95-cpp-input"},
    {"F95", "f95"},
    {"f03", "f95-cpp-input"},
    {"F03", "f95"},
    {"f08", "f95-cpp-input"},
    {"F08", "f95"},
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
