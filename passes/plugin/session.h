// A child of the serving clang that keeps one module and applies passes to it in place, step after step: an episode.
#pragma once
#include "channel.h"
#include "limits.h"
#include "serve.h"

namespace cc_agent {

/// A pass that crashes or hangs ends this process and no other; {"plan":"","end":PROCESS} has the serving clang wait for it and
/// say how it ended. Observations are computed again only after a pass has said that it changed something.
///
/// Hello:   {"event":"started","process":…}
/// Request: {"plans":[TEXT…] applied in their order,"verify":…,"observe":["ir_instructions","inst_count","autophase","fingerprint"],
///           "print":"ir"|"bitcode","timeout_s":…}
///       or {"fork":true} with a socket: another such process begins here and answers there, nothing is answered here
///       or {"emit":true,"late":options that code generation alone reads,"timeout_s":…,"memory_bytes":…}
/// Reply:   {"outcome":"ok"|"rejected"|"invalid"|"error","message":…,"applied":how many plans,"changed":…, what was observed,
///           "printed_bytes":so many bytes follow the line}; of "emit": the outcomes and sizes of an evaluation (serve.h)
class Session {
public:
  /// In a child of process `server` that was forked for it.
  Session(ServedModule &served, int descriptor, int server) : served(served), descriptor(descriptor), channel(descriptor), server(server) {}

  /// Returns only in a child that is to go on into clang and emit its object; ends the process when the client has gone.
  void run();

private:
  ServedModule &served;
  int descriptor;
  Channel channel;
  int server;
  llvm::json::Object known; ///< what was observed of the module as it is

  void greet();
  void forkTo(const Limits &limits, int socket);
  llvm::json::Object step(const llvm::json::Object &asked);
  llvm::json::Object applyAll(const llvm::json::Object &asked);
  llvm::Expected<llvm::json::Value> observe(llvm::StringRef name);
  std::string print(llvm::StringRef form) const;
  bool emit(const llvm::json::Object &asked, const Limits &limits);
};

} // namespace cc_agent
