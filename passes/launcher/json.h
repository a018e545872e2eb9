// The little JSON that the launcher needs: it writes objects on one line and reads the plugin's flat status lines.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cc_agent {

// A JSON string. Bytes that are not UTF-8 become lone surrogates U+DC80..U+DCFF, as Python's "surrogateescape" has it.
std::string json_string(std::string_view text);
std::string json_string_or_null(std::string_view text); // Empty: null.
std::string json_strings(const std::vector<std::string> &texts);
std::string json_array(const std::vector<std::string> &values); // Of values that are JSON already.
std::string json_number(double value);

class JsonObject {
public:
  JsonObject &add(std::string_view key, const std::string &json_value);
  std::string text() const { return "{" + members + "}"; }

private:
  std::string members;
};

// The members of a flat object whose values are strings, or empty when the line is not an object. Members with other
// values are left out.
std::map<std::string, std::string> read_flat_object(std::string_view line);

} // namespace cc_agent
