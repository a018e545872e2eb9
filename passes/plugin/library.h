// The C ABI: LLVM 22 in the caller's process, for tests, tools and feature extraction. A crash in a pass is an error
// text here too, but a hang, exhausted memory or an overflowed stack is not: what must survive those uses the fork server.
//
// Text that is returned, and text left in `*error`, belongs to the caller, who gives it to cca_free(). `error` is only
// written where a function fails. Functions that take a module or a context are not to be called on modules of one context
// from two threads at once; everything that runs passes or generates code takes turns in the whole process, because
// LLVM's options are the process's own.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CCA_API __attribute__((visibility("default")))

typedef struct cca_context cca_context;
typedef struct cca_module cca_module;

/// How a function ended. A plan that is at fault says nothing against the module, which stays as it was.
typedef enum { CCA_OK = 0, CCA_PLAN_ERROR = 1, CCA_ENGINE_ERROR = 2 } cca_outcome;

/// What clang knows about code generation that is not written in the IR. Null and zero mean: LLVM's own choice.
typedef struct {
  const char *cpu;              ///< as in `llc -mcpu=`; functions that carry their own `target-cpu` keep it
  const char *features;         ///< as in `llc -mattr=`
  int32_t optimization_level;   ///< of code generation, 0 to 3, as in `llc -O`
  int32_t function_sections;    ///< nonzero: -ffunction-sections
  int32_t data_sections;        ///< nonzero: -fdata-sections
} cca_target;

/// {"cc_agent": version, "llvm": version, "abi": number}. The text is static.
CCA_API const char *cca_version(void);
CCA_API void cca_free(void *memory);

CCA_API cca_context *cca_context_new(void);
/// Modules may outlive the handle of their context.
CCA_API void cca_context_free(cca_context *context);

/// Parses and verifies bitcode or textual IR. `name` is what messages call it.
CCA_API cca_module *cca_module_parse(cca_context *context, const char *bytes, size_t size, const char *name, char **error);
CCA_API cca_module *cca_module_clone(cca_module *module, char **error);
/// A module that a crash left behind is not destroyed: its memory is lost, on purpose.
CCA_API void cca_module_free(cca_module *module);

/// The number of IR instructions, or -1.
CCA_API int64_t cca_module_count_instructions(cca_module *module, char **error);
CCA_API char *cca_module_fingerprint(cca_module *module, char **error);
CCA_API char *cca_module_print(cca_module *module, char **error);
/// The module as JSON, for the translation validator; see docs/validation.md.
CCA_API char *cca_module_json(cca_module *module, char **error);
/// The functions, loops and calls that a plan's decisions can be about, as JSON; see decidable.h.
CCA_API char *cca_module_decidable(cca_module *module, char **error);
/// Functions, calls, loops and simplified IR of a module that was not optimized yet, as JSON; see docs/observations.md.
CCA_API char *cca_module_summary(cca_module *module, char **error);

/// Fill 70 and 56 numbers; features.h says which.
CCA_API cca_outcome cca_module_inst_count(cca_module *module, int64_t *counts, char **error);
CCA_API cca_outcome cca_module_autophase(cca_module *module, int64_t *counts, char **error);

/// IR2Vec's embedding of the module as a JSON array, by a vocabulary in a file; see embedding.h.
CCA_API char *cca_module_embedding(cca_module *module, const char *vocabulary, char **error);

/// Runs a plan (`-passes=PIPELINE -name=value … loop:…`) and verifies what it leaves. The plan's options hold during the run only.
/// After a crash, or where the verifier complains, the module is spoiled: every later call on it says why.
CCA_API cca_outcome cca_module_run(cca_module *module, const char *plan, const cca_target *target, char **error);
/// The same, and what each pass did is left in `*effects` as JSON; pass_effects.h has its form.
CCA_API cca_outcome cca_module_run_counting(cca_module *module, const char *plan, const cca_target *target, char **effects, char **error);

/// Emits an object and returns its sizes as JSON: {"text_bytes", "data_bytes", "unwind_bytes", "object_bytes", "sections":
/// {name: bytes}, "functions": {name: bytes}}. The options of `plan` (may be null; its pipeline is not run) hold meanwhile.
/// Where `object` is not null the bytes themselves are left there too. The module itself stays as it was.
CCA_API cca_outcome cca_module_emit(cca_module *module, const char *plan, const cca_target *target, char **sizes, char **object, size_t *object_size,
                                    char **error);

/// Null where LLVM can parse `pipeline`, else its complaint.
CCA_API char *cca_check_pipeline(const char *pipeline);

#ifdef __cplusplus
}
#endif
