#include "request.h"

using namespace llvm;

namespace cc_agent {

Limits limitsOf(const json::Object &fields) {
  return {fields.getNumber("timeout_s").value_or(60), uint64_t(fields.getInteger("memory_bytes").value_or(int64_t(2) << 30))};
}

Expected<Request> parseRequest(StringRef line) {
  auto parsed = json::parse(line);
  if (!parsed)
    return parsed.takeError();
  auto *fields = parsed->getAsObject();
  if (!fields || !fields->getString("plan"))
    return createStringError(inconvertibleErrorCode(), "a request is an object with a plan");
  StringRef measure = fields->getString("measure").value_or("object");
  if (measure != "object" && measure != "ir" && measure != "count")
    return createStringError(inconvertibleErrorCode(), "measure is object, ir or count, not '" + measure + "'");
  Request request;
  request.plan = fields->getString("plan")->str();
  request.late = fields->getString("late").value_or("").str();
  request.wantsObject = measure == "object";
  request.wantsFingerprint = measure != "count";
  request.wantsFeatures = fields->getBoolean("features").value_or(false);
  request.fresh = fields->getBoolean("fresh").value_or(false);
  request.share = fields->getBoolean("share").value_or(true);
  request.limits = limitsOf(*fields);
  request.isSession = fields->getBoolean("session").value_or(false);
  request.endedSession = int(fields->getInteger("end").value_or(0));
  request.rest = fields->getString("rest").value_or("").str();
  request.isStart = fields->getBoolean("start").value_or(false);
  request.isComplete = fields->getBoolean("complete").value_or(false);
  return request;
}

} // namespace cc_agent
