#include "code_generation.h"

#include "library_context.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/Transforms/Utils/Cloning.h"
#include <mutex>

using namespace llvm;

namespace cc_agent {
namespace {

void initializeTargets() {
  static std::once_flag once;
  std::call_once(once, [] {
    InitializeAllTargetInfos();
    InitializeAllTargets();
    InitializeAllTargetMCs();
    InitializeAllAsmParsers();
    InitializeAllAsmPrinters();
  });
}

} // namespace

Expected<std::unique_ptr<TargetMachine>> makeTargetMachine(const Module &module, const cca_target *wanted) {
  static const cca_target defaults = {nullptr, nullptr, 2, 0, 0};
  const cca_target &target = wanted ? *wanted : defaults;
  if (target.optimization_level < 0 || target.optimization_level > 3)
    return fault("code generation has the optimization levels 0 to 3, not " + Twine(target.optimization_level));
  initializeTargets();
  Triple triple = module.getTargetTriple();
  if (triple.empty())
    triple = Triple(sys::getDefaultTargetTriple());
  std::string complaint;
  const Target *found = TargetRegistry::lookupTarget(triple, complaint);
  if (!found)
    return fault(complaint);
  TargetOptions options;
  options.UseInitArray = true; // this and the next as clang does
  options.EmitAddrsig = triple.isOSBinFormatELF();
  options.FunctionSections = target.function_sections != 0;
  options.DataSections = target.data_sections != 0;
  Reloc::Model relocation = module.getPICLevel() == PICLevel::NotPIC ? Reloc::Static : Reloc::PIC_;
  std::unique_ptr<TargetMachine> machine(found->createTargetMachine(
      triple, target.cpu ? target.cpu : "", target.features ? target.features : "", options, relocation,
      module.getCodeModel(), CodeGenOptLevel(target.optimization_level)));
  if (!machine)
    return fault("LLVM cannot generate code for " + triple.str());
  if (!module.getDataLayout().isDefault() && !machine->isCompatibleDataLayout(module.getDataLayout()))
    return fault("the module's data layout is not that of " + triple.str());
  return machine;
}

void adoptDataLayout(Module &module, const TargetMachine &machine) {
  if (module.getDataLayout().isDefault())
    module.setDataLayout(machine.createDataLayout());
}

Error emitObject(const Module &module, TargetMachine &machine, SmallVectorImpl<char> &bytes) {
  std::unique_ptr<Module> scratch = CloneModule(module); // code generation changes the IR
  adoptDataLayout(*scratch, machine);
  raw_svector_ostream stream(bytes);
  legacy::PassManager manager;
  TargetLibraryInfoImpl libraries(scratch->getTargetTriple());
  manager.add(new TargetLibraryInfoWrapperPass(libraries));
  if (machine.addPassesToEmitFile(manager, stream, nullptr, CodeGenFileType::ObjectFile))
    return fault("LLVM cannot emit objects for " + scratch->getTargetTriple().str());
  manager.run(*scratch);
  return Error::success();
}

} // namespace cc_agent
