#include "snapshots.h"

#include <algorithm>
#include <csignal>
#include <poll.h>
#include <sys/wait.h>

using namespace llvm;

namespace cc_agent {
namespace {

/// Reads that a snapshot has started, which process it is, and that it has run its beginning and waits. False where it ended before.
bool awaitReady(Snapshot &snapshot, int milliseconds) {
  for (std::string line;;) {
    pollfd ready{snapshot.socket, POLLIN, 0};
    if (!snapshot.channel->hasLine() && poll(&ready, 1, milliseconds) != 1)
      return false;
    if (!snapshot.channel->readLine(line))
      return false;
    auto said = json::parse(line);
    if (!said || !said->getAsObject()) {
      consumeError(said.takeError());
      return false;
    }
    const json::Object &fields = *said->getAsObject();
    if (fields.getString("event").value_or("") != "ready") {
      snapshot.process = int(fields.getInteger("process").value_or(0));
      continue;
    }
    snapshot.instructions = fields.getInteger("ir_instructions").value_or(0);
    snapshot.fingerprint = fields.getString("fingerprint").value_or("").str();
    return snapshot.process > 0;
  }
}

} // namespace

Snapshot *Snapshots::forPlan(const Steps &steps, const Request &request, const Fork &fork, bool &isEmitting) {
  Snapshot *best = longest(steps);
  size_t repeated = 0;
  for (size_t length = 1; length <= steps.count(); ++length)
    if (!asked.insert(steps.prefix(length)).second)
      repeated = length;
  size_t covered = best ? best->length : 0;
  bool pays = repeated > covered && (repeated == steps.count() || steps.takesTime(covered, repeated)) && !failed.contains(steps.prefix(repeated));
  if (!pays)
    return best;
  Snapshot *made = make(steps, repeated, best, request, fork, isEmitting);
  return made || isEmitting ? made : longest(steps);
}

Snapshot *Snapshots::longest(const Steps &steps) {
  auto best = snapshots.end();
  for (auto each = snapshots.begin(); each != snapshots.end(); ++each)
    if (each->length <= steps.count() && each->prefix == steps.prefix(each->length) && (best == snapshots.end() || each->length > best->length))
      best = each;
  if (best == snapshots.end())
    return nullptr;
  std::rotate(best, best + 1, snapshots.end());
  return &snapshots.back();
}

Snapshot *Snapshots::make(const Steps &steps, size_t length, Snapshot *from, const Request &request, const Fork &fork, bool &isEmitting) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
    return nullptr;
  starting = pair[0];
  Request start;
  start.limits = request.limits;
  start.isComplete = length == steps.count();
  start.rest = steps.pipeline(from ? from->length : 0, length);
  start.late = from ? "" : steps.beginning();
  if (from) {
    json::Object asked{{"plan", ""}, {"rest", start.rest}, {"start", true}, {"complete", start.isComplete}, {"timeout_s", start.limits.timeoutSeconds}};
    asked["memory_bytes"] = int64_t(start.limits.memoryBytes);
    from->channel->writeLine(std::move(asked), pair[1]);
  } else if (fork(start, pair[1])) {
    isEmitting = true;
    return nullptr;
  }
  close(pair[1]);
  starting = -1;
  Snapshot made{steps.prefix(length), length, "", 0, 0, pair[0], std::make_unique<Channel>(pair[0])};
  if (!awaitReady(made, int(4000 * request.limits.timeoutSeconds) + 1000)) {
    failed.insert(steps.prefix(length));
    end(made);
    return nullptr;
  }
  if (snapshots.size() == Most)
    drop(0);
  snapshots.push_back(std::move(made));
  return &snapshots.back();
}

std::optional<json::Object> Snapshots::ask(Snapshot &snapshot, const Steps &steps, const Request &request) {
  json::Object asked{{"plan", request.plan}, {"late", request.late}, {"rest", steps.pipeline(snapshot.length, steps.count())}};
  asked["measure"] = request.wantsObject ? "object" : request.wantsFingerprint ? "ir" : "count";
  asked["features"] = request.wantsFeatures;
  asked["timeout_s"] = request.limits.timeoutSeconds;
  asked["memory_bytes"] = int64_t(request.limits.memoryBytes);
  std::string line;
  if (snapshot.channel->writeLine(std::move(asked)) && snapshot.channel->readLine(line)) {
    if (auto reply = json::parse(line); reply && reply->getAsObject())
      return std::move(*reply->getAsObject());
    else if (!reply)
      consumeError(reply.takeError());
  }
  drop(size_t(&snapshot - snapshots.data()));
  return std::nullopt;
}

void Snapshots::end(const Snapshot &snapshot) {
  close(snapshot.socket);
  if (snapshot.process <= 0)
    return;
  kill(snapshot.process, SIGKILL); // not waited for yet, so the number is still its own
  while (waitpid(snapshot.process, nullptr, 0) < 0 && errno == EINTR)
    ;
}

void Snapshots::drop(size_t index) {
  end(snapshots[index]);
  snapshots.erase(snapshots.begin() + std::ptrdiff_t(index));
}

void Snapshots::closeAll() {
  for (const Snapshot &snapshot : snapshots)
    close(snapshot.socket);
  snapshots.clear();
  if (starting >= 0)
    close(starting);
  starting = -1;
}

} // namespace cc_agent
