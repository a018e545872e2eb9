#include "library_functions.h"

#include "llvm/ADT/StringSet.h"

using namespace llvm;

namespace cct {
namespace {

// The runtime has each of these as cct_m_NAME (runtime/allocate.cpp, runtime/output.cpp).
const char *const Modelled[] = {
    "malloc", "calloc", "realloc", "free", "cfree", "aligned_alloc", "posix_memalign", "memalign", "valloc", "reallocarray",
    "strdup", "strndup", "__strdup", "malloc_usable_size",
    "_Znwm", "_Znam", "_ZdlPv", "_ZdaPv", "_ZdlPvm", "_ZdaPvm", "_ZnwmRKSt9nothrow_t", "_ZnamRKSt9nothrow_t",
    "_ZdlPvRKSt9nothrow_t", "_ZdaPvRKSt9nothrow_t", "_ZnwmSt11align_val_t", "_ZnamSt11align_val_t", "_ZdlPvSt11align_val_t",
    "_ZdaPvSt11align_val_t", "_ZdlPvmSt11align_val_t", "_ZdaPvmSt11align_val_t",
    "printf", "fprintf", "vprintf", "vfprintf", "dprintf", "puts", "putchar", "putc", "fputc", "fputs", "fwrite", "_IO_putc",
    "putchar_unlocked", "putc_unlocked", "fputc_unlocked", "fputs_unlocked", "fwrite_unlocked", "perror", "fflush", "write",
    "__printf_chk", "__fprintf_chk", "__vprintf_chk", "__vfprintf_chk", "__dprintf_chk",
    "exit", "_exit", "_Exit", "quick_exit", "abort", "__assert_fail", "__assert", "__assert_perror_fail",
    "memcpy", "__memcpy_chk", "__memmove_chk", "__memset_chk",
    "sprintf", "snprintf", "vsprintf", "vsnprintf", "__sprintf_chk", "__snprintf_chk", "__vsprintf_chk", "__vsnprintf_chk"};

// Functions of libc that compute from their arguments and the memory that these name, and nothing else that matters here.
const char *const Real[] = {
    "memmove", "memset", "memcmp", "bcmp", "bcopy", "bzero", "memchr", "memrchr", "rawmemchr", "mempcpy",
    "__mempcpy", "memccpy", "memmem", "swab", "ffs", "ffsl", "ffsll",
    "strlen", "strnlen", "strcpy", "strncpy", "stpcpy", "stpncpy", "__stpcpy", "strcat", "strncat", "strcmp", "strncmp",
    "strcasecmp", "strncasecmp", "strchr", "strrchr", "strchrnul", "strstr", "strcasestr", "strspn", "strcspn", "strpbrk",
    "strtok", "strtok_r", "__strtok_r", "strsep", "index", "rindex", "strcoll", "strxfrm", "strerror", "strlcpy", "strlcat",
    "explicit_bzero", "strverscmp", "__rawmemchr", "__xpg_basename", "basename", "dirname",
    "__mempcpy_chk", "__strcpy_chk", "__strncpy_chk", "__strcat_chk",
    "__strncat_chk", "__stpcpy_chk", "__chk_fail", "sscanf", "vsscanf", "__isoc99_sscanf", "__isoc23_sscanf",
    "isalnum", "isalpha", "isblank", "iscntrl", "isdigit", "isgraph", "islower", "isprint", "ispunct", "isspace", "isupper",
    "isxdigit", "isascii", "toascii", "tolower", "toupper", "__ctype_b_loc", "__ctype_tolower_loc", "__ctype_toupper_loc",
    "__ctype_get_mb_cur_max", "localeconv", "atoi", "atol", "atoll", "atof", "strtol", "strtoul", "strtoll", "strtoull",
    "strtod", "strtof", "strtold", "strtoimax", "strtoumax", "__isoc23_strtol", "__isoc23_strtoul", "__isoc23_strtoll",
    "__isoc23_strtoull", "abs", "labs", "llabs", "imaxabs", "div", "ldiv", "lldiv", "qsort", "qsort_r", "bsearch", "lfind",
    "lsearch", "mblen", "mbtowc", "wctomb", "mbstowcs", "wcstombs", "mbrlen", "mbrtowc", "wcrtomb", "btowc", "wctob",
    "wcslen", "wcscpy", "wcsncpy", "wcscmp", "wcsncmp", "wcschr", "wmemcpy", "wmemset", "wmemcmp", "wmemmove", "wmemchr",
    "towlower", "towupper", "iswalpha", "iswdigit", "iswspace", "iswupper", "iswlower", "iswalnum", "iswprint",
    "gmtime_r", "timegm", "difftime", "htonl", "htons", "ntohl", "ntohs", "inet_aton", "inet_ntop", "inet_pton",
    "__errno_location", "setjmp", "_setjmp", "__sigsetjmp", "sigsetjmp", "longjmp", "_longjmp", "siglongjmp", "__longjmp_chk",
    "__stack_chk_fail", "__fpclassify", "__fpclassifyf", "__fpclassifyl", "__finite", "__finitef", "__finitel", "__isinf",
    "__isinff", "__isinfl", "__isnan", "__isnanf", "__isnanl", "__signbit", "__signbitf", "__signbitl",
    "stdin", "stdout", "stderr", "environ", "__environ", "optarg", "optind", "opterr", "optopt", "signgam", "fegetround",
    "fesetround", "feclearexcept", "fetestexcept", "feraiseexcept", "fegetenv", "fesetenv", "feholdexcept", "feupdateenv",
    "__tls_get_addr", "_GLOBAL_OFFSET_TABLE_", "__dso_handle", "__divti3", "__modti3", "__udivti3", "__umodti3", "__multi3",
    "__mulodi4", "__muloti4", "__popcountdi2", "__gxx_personality_v0", "__gcc_personality_v0", "__dynamic_cast"};

// Each also with the suffixes f and l.
const char *const Mathematics[] = {
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "copysign", "cos", "cosh", "drem", "erf",
    "erfc", "exp", "exp10", "exp2", "expm1", "fabs", "fdim", "floor", "fma", "fmax", "fmin", "fmod", "frexp", "gamma",
    "hypot", "ilogb", "isinf", "isnan", "finite", "j0", "j1", "ldexp", "lgamma", "lgamma_r", "llrint", "llround", "log",
    "log10", "log1p", "log2", "logb", "lrint", "lround", "modf", "nan", "nearbyint", "nextafter", "nexttoward", "pow",
    "pow10", "remainder", "remquo", "rint", "round", "roundeven", "scalb", "scalbln", "scalbn", "significand", "sin",
    "sincos", "sinh", "sqrt", "tan", "tanh", "tgamma", "trunc", "y0", "y1", "cabs", "carg", "cexp", "clog", "cpow", "csqrt",
    "creal", "cimag", "conj", "csin", "ccos"};

const StringSet<> &realNames() {
  static const StringSet<> Names = [] {
    StringSet<> Result;
    for (const char *Name : Real)
      Result.insert(Name);
    for (const char *Name : Mathematics)
      for (const char *Suffix : {"", "f", "l"})
        Result.insert(std::string(Name) + Suffix);
    return Result;
  }();
  return Names;
}

// The C++ library itself, and the support functions that compilers call.
bool isCxxRuntime(StringRef Name) {
  for (const char *Prefix :
       {"_ZNSt", "_ZNKSt", "_ZNVSt", "_ZSt", "_ZTISt", "_ZTVSt", "_ZTTSt", "_ZTSSt", "_ZNSs", "_ZNKSs", "_ZNSa", "_ZNKSa", "_ZNSo",
        "_ZNSi", "_ZNKSo", "_ZNKSi", "_ZN9__gnu_cxx", "_ZNK9__gnu_cxx", "_ZTIN10__cxxabi", "_ZTVN10__cxxabi", "_ZTISo", "_ZTVSo",
        "__cxa_", "_Unwind_", "__gxx_", "_ZGVNSt"})
    if (Name.starts_with(Prefix))
      return true;
  // Type information of fundamental types: _ZTIi, _ZTIPc, _ZTIPKc, …
  return Name.starts_with("_ZTI") && Name.size() <= 8;
}

} // namespace

Provider providerOf(StringRef Name) {
  for (const char *Model : Modelled)
    if (Name == Model)
      return Provider::Model;
  if (realNames().contains(Name) || isCxxRuntime(Name))
    return Provider::Real;
  return Provider::Stub;
}

bool forbidsOverlap(StringRef Name) {
  static const StringSet<> Names{"sprintf",  "snprintf", "vsprintf",  "vsnprintf", "sscanf",      "vsscanf",         "__isoc99_sscanf", "__isoc23_sscanf",
                                 "mempcpy",  "memccpy",  "__mempcpy", "swab",      "strxfrm",     "mbstowcs",        "wcstombs",        "wmemcpy",
                                 "stpncpy",  "strlcpy",  "strlcat",   "__stpcpy",  "wcscpy",      "wcsncpy"};
  return Names.contains(Name) || (Name.starts_with("__") && Name.ends_with("_chk"));
}

std::vector<StringRef> modelledNames() { return {std::begin(Modelled), std::end(Modelled)}; }

} // namespace cct
