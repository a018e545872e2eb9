#include "object_sizes.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SHA256.h"
#include <map>

using namespace llvm;

namespace cc_agent {
namespace {

Expected<std::unique_ptr<object::ObjectFile>> open(StringRef bytes) { return object::ObjectFile::createObjectFile(MemoryBufferRef(bytes, "object")); }

bool isLoaded(const object::SectionRef &section) {
  if (isa<object::ELFObjectFileBase>(section.getObject()))
    return object::ELFSectionRef(section).getFlags() & ELF::SHF_ALLOC;
  return section.isText() || section.isData() || section.isBSS();
}

} // namespace

Expected<ObjectSizes> measureObject(StringRef bytes) {
  auto object = open(bytes);
  if (!object)
    return object.takeError();
  ObjectSizes sizes;
  sizes.objectBytes = bytes.size();
  sizes.sha256 = toHex(SHA256::hash(ArrayRef(bytes.bytes_begin(), bytes.size())), /*LowerCase=*/true);
  for (const object::SectionRef &section : (*object)->sections()) {
    Expected<StringRef> name = section.getName();
    if (!name)
      return name.takeError();
    if (section.isText())
      sizes.textBytes += section.getSize();
    else if (name->starts_with(".eh_frame") || name->starts_with(".gcc_except_table"))
      sizes.unwindBytes += section.getSize();
    else if (isLoaded(section))
      sizes.dataBytes += section.getSize();
  }
  return sizes;
}

void addSizes(json::Object &reply, const ObjectSizes &sizes) {
  reply["text_bytes"] = int64_t(sizes.textBytes);
  reply["data_bytes"] = int64_t(sizes.dataBytes);
  reply["unwind_bytes"] = int64_t(sizes.unwindBytes);
  reply["object_bytes"] = int64_t(sizes.objectBytes);
  reply["object_sha256"] = sizes.sha256;
}

Expected<json::Object> describeObject(StringRef bytes) {
  auto object = open(bytes);
  if (!object)
    return object.takeError();
  std::map<std::string, uint64_t> sections, functions;
  for (const object::SectionRef &section : (*object)->sections()) {
    Expected<StringRef> name = section.getName();
    if (!name)
      return name.takeError();
    if (!name->empty())
      sections[name->str()] += section.getSize();
  }
  for (const object::SymbolRef &symbol : (*object)->symbols()) {
    Expected<object::SymbolRef::Type> type = symbol.getType();
    Expected<StringRef> name = symbol.getName();
    if (!type)
      return type.takeError();
    if (!name)
      return name.takeError();
    auto *elf = dyn_cast<object::ELFObjectFileBase>(object->get());
    if (*type == object::SymbolRef::ST_Function && elf)
      functions[name->str()] = object::ELFSymbolRef(symbol).getSize();
  }
  json::Object sectionTable, functionTable;
  for (auto &[name, size] : sections)
    sectionTable[name] = int64_t(size);
  for (auto &[name, size] : functions)
    functionTable[name] = int64_t(size);
  return json::Object{{"sections", std::move(sectionTable)}, {"functions", std::move(functionTable)}};
}

} // namespace cc_agent
