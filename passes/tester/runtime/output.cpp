// Functions that print: bytes appended to a stream, so that printf("a\n") and puts("a") are the same thing.
#include "state.h"

#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <initializer_list>

namespace cct {
namespace {

uint64_t keyOf(FILE *Stream) {
  if (Stream == stdout)
    return 1;
  if (Stream == stderr)
    return 2;
  Canonical C = canonical(reinterpret_cast<uint64_t>(Stream));
  return mix(mix(static_cast<uint64_t>(C.Kind), C.Number), C.Offset) | 1ull << 63;
}

void append(uint64_t Key, const void *Bytes, size_t Size) {
  State &S = state();
  checkAccess(Bytes, Size); // who passes fewer bytes than are printed does what has no meaning
  uint32_t Index = 0;
  while (Index < S.Streams && S.StreamKey[Index] != Key)
    ++Index;
  if (Index == MaxStreams)
    return endRun(OutcomeLimit, 0);
  if (Index == S.Streams) {
    S.StreamKey[Index] = Key;
    S.StreamHash[Index] = 7;
    ++S.Streams;
  }
  const auto *Data = static_cast<const uint8_t *>(Bytes);
  for (size_t Position = 0; Position < Size; ++Position)
    S.StreamHash[Index] = mix(S.StreamHash[Index], Data[Position]);
  if (input().Explain && Size) {
    explain("%s", Key == 1 ? "stdout: " : Key == 2 ? "stderr: " : "another stream: ");
    for (size_t Position = 0; Position < Size && Position < 256; ++Position)
      if (Data[Position] >= ' ' && Data[Position] < 127)
        explain("%c", Data[Position]);
      else
        explain("\\x%02x", Data[Position]);
    explain("\n");
  }
}

int format(uint64_t Key, const char *Format, va_list Arguments) {
  checkFormat(Format, Arguments);
  char *Buffer = reinterpret_cast<char *>(OutputBase + OutputText + OutputTextSize - (64 << 10)); // the text's last part
  int Size = vsnprintf(Buffer, 64 << 10, Format, Arguments);
  if (Size >= 64 << 10)
    endRun(OutcomeLimit, 0);
  if (Size > 0)
    append(Key, Buffer, static_cast<size_t>(Size));
  return Size;
}

} // namespace
} // namespace cct

using namespace cct;

#define FORMATTED(NAME, PARAMETERS, KEY, LAST)                                                                                   \
  int NAME PARAMETERS {                                                                                                          \
    va_list Arguments;                                                                                                           \
    va_start(Arguments, LAST);                                                                                                   \
    int Result = format(KEY, LAST, Arguments);                                                                                   \
    va_end(Arguments);                                                                                                           \
    return Result;                                                                                                               \
  }

extern "C" {
FORMATTED(cct_m_printf, (const char *F, ...), 1, F)
FORMATTED(cct_m_fprintf, (FILE * S, const char *F, ...), keyOf(S), F)
FORMATTED(cct_m_dprintf, (int D, const char *F, ...), static_cast<uint64_t>(D), F)
FORMATTED(cct_m___printf_chk, (int, const char *F, ...), 1, F)
FORMATTED(cct_m___fprintf_chk, (FILE * S, int, const char *F, ...), keyOf(S), F)
FORMATTED(cct_m___dprintf_chk, (int D, int, const char *F, ...), static_cast<uint64_t>(D), F)
int cct_m_vprintf(const char *F, va_list A) { return format(1, F, A); }
int cct_m_vfprintf(FILE *S, const char *F, va_list A) { return format(keyOf(S), F, A); }
int cct_m___vprintf_chk(int, const char *F, va_list A) { return format(1, F, A); }
int cct_m___vfprintf_chk(FILE *S, int, const char *F, va_list A) { return format(keyOf(S), F, A); }

static int character(int C, uint64_t Key) {
  auto Byte = static_cast<unsigned char>(C);
  append(Key, &Byte, 1);
  return Byte;
}
int cct_m_putchar(int C) { return character(C, 1); }
int cct_m_putchar_unlocked(int C) { return character(C, 1); }
int cct_m_putc(int C, FILE *S) { return character(C, keyOf(S)); }
int cct_m_fputc(int C, FILE *S) { return character(C, keyOf(S)); }
int cct_m__IO_putc(int C, FILE *S) { return character(C, keyOf(S)); }
int cct_m_putc_unlocked(int C, FILE *S) { return character(C, keyOf(S)); }
int cct_m_fputc_unlocked(int C, FILE *S) { return character(C, keyOf(S)); }

int cct_m_puts(const char *Text) {
  append(1, Text, strlen(Text));
  append(1, "\n", 1);
  return 1;
}
int cct_m_fputs(const char *Text, FILE *S) {
  append(keyOf(S), Text, strlen(Text));
  return 1;
}
int cct_m_fputs_unlocked(const char *Text, FILE *S) { return cct_m_fputs(Text, S); }
size_t cct_m_fwrite(const void *Data, size_t Size, size_t Count, FILE *S) {
  append(keyOf(S), Data, Size * Count);
  return Size ? Count : 0;
}
size_t cct_m_fwrite_unlocked(const void *Data, size_t Size, size_t Count, FILE *S) { return cct_m_fwrite(Data, Size, Count, S); }
void cct_m_perror(const char *Text) {
  append(2, Text ? Text : "", Text ? strlen(Text) : 0);
  append(2, "\n", 1);
}
int cct_m_fflush(FILE *) { return 0; }
ssize_t cct_m_write(int Descriptor, const void *Data, size_t Size) {
  append(static_cast<uint64_t>(Descriptor), Data, Size);
  return static_cast<ssize_t>(Size);
}

void cct_m_exit(int Status) { endRun(OutcomeExit, static_cast<uint64_t>(Status & 255)); }
void cct_m__exit(int Status) { endRun(OutcomeExit, static_cast<uint64_t>(Status & 255)); }
void cct_m__Exit(int Status) { endRun(OutcomeExit, static_cast<uint64_t>(Status & 255)); }
void cct_m_quick_exit(int Status) { endRun(OutcomeExit, static_cast<uint64_t>(Status & 255)); }
void cct_m_abort() { endRun(OutcomeAbort, 0); }
void cct_m___assert_fail(const char *Assertion, const char *File, unsigned Line, const char *Function) {
  for (const char *Text : {Assertion, File, Function})
    append(2, Text, strlen(Text));
  append(2, &Line, sizeof Line);
  endRun(OutcomeAbort, 1);
}
void cct_m___assert_perror_fail(int, const char *, unsigned, const char *) { endRun(OutcomeAbort, 1); }
void cct_m___assert(const char *, const char *, int) { endRun(OutcomeAbort, 1); }
}
