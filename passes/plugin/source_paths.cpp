#include "source_paths.h"

#include "llvm/Support/Path.h"

using namespace llvm;

namespace cc_agent {

bool looksLikeSourcePath(StringRef text, StringRef ownDirectory) {
  bool startsLikePath = text.starts_with("/") || text.starts_with("./") || text.starts_with("../") ||
                        (!ownDirectory.empty() && text.starts_with(ownDirectory));
  if (text.size() > 4096 || text.find_first_of("\t\n%") != StringRef::npos || (text.contains(' ') && !startsLikePath))
    return false;
  StringRef extension = sys::path::extension(text);
  for (StringRef known :
       {".c", ".h", ".cc", ".hh", ".cpp", ".hpp", ".cxx", ".hxx", ".C", ".H", ".inc", ".inl", ".ipp", ".tcc", ".def"})
    if (extension == known)
      return true;
  return false;
}

std::string withoutTypeDirectories(StringRef text) {
  std::string result;
  for (size_t at; (at = text.find(" at ")) != StringRef::npos;) {
    result += text.take_front(at + 4);
    text = text.drop_front(at + 4);
    StringRef path = text.take_until([](char letter) { return letter == ':'; });
    if (looksLikeSourcePath(path, path)) {
      result += sys::path::filename(path);
      text = text.drop_front(path.size());
    }
  }
  return result + text.str();
}

} // namespace cc_agent
