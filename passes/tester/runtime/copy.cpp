// Copies whose pieces must not overlap, and those that are checked against the size of where they go (-D_FORTIFY_SOURCE): nothing
// that AddressSanitizer instruments, and of these it knows nothing.
#include "state.h"

#include <csignal>
#include <cstring>

using namespace cct;

namespace {

bool overlap(const void *To, const void *From, size_t Size) {
  auto *Target = static_cast<const uint8_t *>(To), *Source = static_cast<const uint8_t *>(From);
  return Target != Source && Target < Source + Size && Source < Target + Size;
}

} // namespace

namespace cct {

void checkAccess(const void *Bytes, size_t Size) {
  if (!state().Sanitized || !Size)
    return;
  if (void *Bad = __asan_region_is_poisoned(const_cast<void *>(Bytes), Size)) {
    output().FaultAddress = reinterpret_cast<uint64_t>(Bad);
    endRun(OutcomeSignal, SIGSEGV);
  }
}

} // namespace cct

extern "C" {
// Of what overlaps the C library's makes a good copy on this machine; on another one it need not.
void *cct_m_memcpy(void *To, const void *From, size_t Size) {
  if (!overlap(To, From, Size))
    return memcpy(To, From, Size);
  auto *Target = static_cast<uint8_t *>(To);
  const auto *Source = static_cast<const uint8_t *>(From);
  // In the direction that overwrites what is still to be read.
  for (size_t Done = 0; Done < Size; ++Done) {
    size_t At = Target < Source ? Size - 1 - Done : Done;
    *const_cast<volatile uint8_t *>(Target + At) = Source[At];
  }
  return To;
}

void *cct_m___memcpy_chk(void *To, const void *From, size_t Size, size_t) {
  checkAccess(To, Size);
  checkAccess(From, Size);
  if (state().Sanitized && overlap(To, From, Size))
    endRun(OutcomeSignal, SIGSEGV);
  return cct_m_memcpy(To, From, Size);
}

void *cct_m___memmove_chk(void *To, const void *From, size_t Size, size_t) {
  checkAccess(To, Size);
  checkAccess(From, Size);
  return memmove(To, From, Size);
}

void *cct_m___memset_chk(void *To, int Value, size_t Size, size_t) {
  checkAccess(To, Size);
  return memset(To, Value, Size);
}
}
