// Which modules' code is known already: written by the server, read by every process that it makes, also by those made before.
#pragma once
#include "llvm/Support/xxhash.h"
#include <atomic>
#include <cstdint>
#include <sys/mman.h>

namespace cc_agent {

/// A set of texts in shared memory. It may forget (it has a fixed size), and then an object is emitted once more.
class KnownCodes {
public:
  KnownCodes() {
    void *memory = mmap(nullptr, Slots * sizeof(Slot), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    slots = memory == MAP_FAILED ? nullptr : static_cast<Slot *>(memory);
  }
  KnownCodes(const KnownCodes &) = delete;
  KnownCodes &operator=(const KnownCodes &) = delete;
  ~KnownCodes() {
    if (slots)
      munmap(slots, Slots * sizeof(Slot));
  }

  void insert(llvm::StringRef text) {
    if (Slot *slot = find(hash(text)))
      slot->store(hash(text), std::memory_order_relaxed);
  }
  bool contains(llvm::StringRef text) const {
    Slot *slot = find(hash(text));
    return slot && slot->load(std::memory_order_relaxed) != 0;
  }

private:
  using Slot = std::atomic<uint64_t>;
  static constexpr size_t Slots = size_t(1) << 16, Probes = 64;
  Slot *slots;

  static uint64_t hash(llvm::StringRef text) { return llvm::xxh3_64bits(text) | 1; } // zero is an empty slot

  /// The slot that holds the hash or could; none where all that it may be in are taken.
  Slot *find(uint64_t wanted) const {
    for (size_t probe = 0; slots && probe < Probes; ++probe) {
      Slot &slot = slots[(wanted / 2 + probe) % Slots];
      uint64_t held = slot.load(std::memory_order_relaxed);
      if (held == wanted || held == 0)
        return &slot;
    }
    return nullptr;
  }
};

} // namespace cc_agent
