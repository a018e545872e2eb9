// Formats that are given no text where they print one: the C library prints "(null)", and an optimizer may make puts or strcpy of the call.
#include "state.h"

#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <printf.h>

using namespace cct;

namespace {

constexpr size_t MostArguments = 64;

// Whether one of the arguments that are printed as a text is null.
bool lacksText(const char *Format, va_list Given) {
  int Types[MostArguments];
  const size_t Count = parse_printf_format(Format, MostArguments, Types);
  bool Lacks = false;
  va_list Arguments;
  va_copy(Arguments, Given);
  for (size_t Index = 0; Index < Count && Index < MostArguments && !Lacks; ++Index) {
    const int Type = Types[Index] & ~PA_FLAG_MASK, Flags = Types[Index] & PA_FLAG_MASK;
    if (Flags & PA_FLAG_PTR || Type == PA_POINTER)
      va_arg(Arguments, void *);
    else if (Type == PA_STRING || Type == PA_WSTRING)
      Lacks = va_arg(Arguments, const void *) == nullptr;
    else if (Type == PA_FLOAT || Type == PA_DOUBLE)
      Flags & PA_FLAG_LONG_DOUBLE ? static_cast<void>(va_arg(Arguments, long double)) : static_cast<void>(va_arg(Arguments, double));
    else
      Flags & (PA_FLAG_LONG | PA_FLAG_LONG_LONG) ? static_cast<void>(va_arg(Arguments, long)) : static_cast<void>(va_arg(Arguments, int));
  }
  va_end(Arguments);
  return Lacks;
}

} // namespace

namespace cct {

void checkFormat(const char *Format, va_list Arguments) {
  if (lacksText(Format, Arguments))
    endRun(OutcomeSignal, SIGSEGV);
}

} // namespace cct

#define INTO_MEMORY(NAME, PARAMETERS, CALL)                                                                                      \
  int NAME PARAMETERS {                                                                                                          \
    va_list Arguments;                                                                                                           \
    va_start(Arguments, Format);                                                                                                 \
    checkFormat(Format, Arguments);                                                                                              \
    int Result = CALL;                                                                                                           \
    va_end(Arguments);                                                                                                           \
    return Result;                                                                                                               \
  }

// AddressSanitizer sees what these write and read: in its variant the calls below are its own.
extern "C" {
INTO_MEMORY(cct_m_sprintf, (char *To, const char *Format, ...), vsprintf(To, Format, Arguments))
INTO_MEMORY(cct_m_snprintf, (char *To, size_t Size, const char *Format, ...), vsnprintf(To, Size, Format, Arguments))
INTO_MEMORY(cct_m___sprintf_chk, (char *To, int, size_t, const char *Format, ...), vsprintf(To, Format, Arguments))
INTO_MEMORY(cct_m___snprintf_chk, (char *To, size_t Size, int, size_t, const char *Format, ...), vsnprintf(To, Size, Format, Arguments))
int cct_m_vsprintf(char *To, const char *Format, va_list Arguments) {
  checkFormat(Format, Arguments);
  return vsprintf(To, Format, Arguments);
}
int cct_m_vsnprintf(char *To, size_t Size, const char *Format, va_list Arguments) {
  checkFormat(Format, Arguments);
  return vsnprintf(To, Size, Format, Arguments);
}
int cct_m___vsprintf_chk(char *To, int, size_t, const char *Format, va_list Arguments) { return cct_m_vsprintf(To, Format, Arguments); }
int cct_m___vsnprintf_chk(char *To, size_t Size, int, size_t, const char *Format, va_list Arguments) {
  return cct_m_vsnprintf(To, Size, Format, Arguments);
}
}
