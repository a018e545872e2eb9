// A stream of words and strings that ends in one digest. Strings carry their length, so no two streams read alike.
#pragma once
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/xxhash.h"
#include <cstring>

namespace cc_agent {

class HashStream {
public:
  void add(uint64_t word) { words.push_back(word); }
  void add(llvm::StringRef text) {
    words.push_back(text.size());
    size_t start = words.size();
    words.resize(start + (text.size() + 7) / 8); // zero-filled: the tail is defined
    std::memcpy(words.data() + start, text.data(), text.size());
  }
  void add(const std::string &text) { add(llvm::StringRef(text)); }
  void add(const char *text) { add(llvm::StringRef(text)); }

  uint64_t digest64() const { return llvm::xxh3_64bits(bytes()); }
  /// 32 lower-case hexadecimal digits.
  std::string digest() const {
    llvm::XXH128_hash_t hash = llvm::xxh3_128bits(bytes());
    return llvm::utohexstr(hash.high64, /*LowerCase=*/true, 16) + llvm::utohexstr(hash.low64, /*LowerCase=*/true, 16);
  }

private:
  llvm::SmallVector<uint64_t, 16> words;
  llvm::ArrayRef<uint8_t> bytes() const { return {reinterpret_cast<const uint8_t *>(words.data()), words.size() * sizeof(uint64_t)}; }
};

} // namespace cc_agent
