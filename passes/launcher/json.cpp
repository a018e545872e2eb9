#include "json.h"

#include <cstdio>

namespace cc_agent {
namespace {

// The length of the valid UTF-8 sequence that `text` begins with; 0 when it is not valid.
std::size_t utf8_length(std::string_view text) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char first = byte(0);
  if (first < 0x80)
    return 1;
  std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length)
    return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80)
      return 0;
  bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  bool surrogate = first == 0xed && byte(1) >= 0xa0;
  bool too_large = first == 0xf4 && byte(1) >= 0x90;
  return overlong || surrogate || too_large ? 0 : length;
}

std::string unicode_escape(unsigned value) {
  char buffer[8];
  std::snprintf(buffer, sizeof buffer, "\\u%04x", value);
  return buffer;
}

void append_utf8(std::string &text, unsigned code) {
  if (code >= 0xdc80 && code <= 0xdcff) {
    text += static_cast<char>(code - 0xdc00); // A byte that was not UTF-8.
  } else if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xc0 | code >> 6);
    text += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    text += static_cast<char>(0xe0 | code >> 12);
    text += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    text += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    text += static_cast<char>(0xf0 | code >> 18);
    text += static_cast<char>(0x80 | (code >> 12 & 0x3f));
    text += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    text += static_cast<char>(0x80 | (code & 0x3f));
  }
}

// A reader that never fails loudly: after a fault `valid` is false and every read returns something empty.
struct Reader {
  std::string_view text;
  std::size_t at = 0;
  bool valid = true;

  void skip_space() {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t' || text[at] == '\r' || text[at] == '\n'))
      ++at;
  }
  bool take(char character) {
    skip_space();
    if (at >= text.size() || text[at] != character)
      return false;
    ++at;
    return true;
  }
  unsigned hexadecimal() {
    unsigned code = 0;
    for (int i = 0; i < 4; ++i, ++at) {
      char digit = at < text.size() ? text[at] : 'x';
      if (digit >= '0' && digit <= '9')
        code = code * 16 + static_cast<unsigned>(digit - '0');
      else if ((digit | 32) >= 'a' && (digit | 32) <= 'f')
        code = code * 16 + static_cast<unsigned>((digit | 32) - 'a' + 10);
      else
        valid = false;
    }
    return code;
  }
  std::string string() {
    std::string result;
    if (!take('"'))
      valid = false;
    while (valid && at < text.size() && text[at] != '"') {
      char character = text[at++];
      if (character != '\\') {
        result += character;
        continue;
      }
      char escape = at < text.size() ? text[at++] : '\0';
      switch (escape) {
      case 'b': result += '\b'; break;
      case 'f': result += '\f'; break;
      case 'n': result += '\n'; break;
      case 'r': result += '\r'; break;
      case 't': result += '\t'; break;
      case 'u': {
        unsigned code = hexadecimal();
        if (code >= 0xd800 && code < 0xdc00 && text.substr(at, 2) == "\\u") {
          at += 2;
          code = 0x10000 + ((code - 0xd800) << 10) + (hexadecimal() - 0xdc00);
        }
        append_utf8(result, code);
        break;
      }
      case '\0': valid = false; break;
      default: result += escape;
      }
    }
    if (valid && !take('"'))
      valid = false;
    return result;
  }
};

} // namespace

std::string json_string(std::string_view text) {
  std::string result = "\"";
  while (!text.empty()) {
    std::size_t length = utf8_length(text);
    unsigned char first = static_cast<unsigned char>(text[0]);
    if (length == 0) {
      result += unicode_escape(0xdc00u + first);
      length = 1;
    } else if (first == '"' || first == '\\') {
      result += '\\';
      result += text[0];
    } else if (first < 0x20 || first == 0x7f) {
      result += first == '\n' ? "\\n" : first == '\t' ? "\\t" : unicode_escape(first);
    } else {
      result += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return result + '"';
}

std::string json_string_or_null(std::string_view text) { return text.empty() ? "null" : json_string(text); }

std::string json_array(const std::vector<std::string> &values) {
  std::string result = "[";
  for (const std::string &value : values)
    result += (result.size() > 1 ? "," : "") + value;
  return result + "]";
}

std::string json_strings(const std::vector<std::string> &texts) {
  std::vector<std::string> values;
  for (const std::string &text : texts)
    values.push_back(json_string(text));
  return json_array(values);
}

std::string json_number(double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.6f", value);
  return buffer;
}

JsonObject &JsonObject::add(std::string_view key, const std::string &json_value) {
  members += (members.empty() ? "" : ",") + json_string(key) + ":" + json_value;
  return *this;
}

std::map<std::string, std::string> read_flat_object(std::string_view line) {
  std::map<std::string, std::string> members;
  Reader reader{line};
  if (!reader.take('{'))
    return {};
  while (reader.valid && !reader.take('}')) {
    std::string key = reader.string();
    reader.valid = reader.valid && reader.take(':');
    reader.skip_space();
    if (reader.at < line.size() && line[reader.at] == '"') {
      std::string value = reader.string();
      members[key] = value;
    } else {
      while (reader.at < line.size() && line[reader.at] != ',' && line[reader.at] != '}')
        ++reader.at;
    }
    reader.take(',');
    if (reader.at >= line.size())
      reader.valid = false;
  }
  return reader.valid ? members : std::map<std::string, std::string>{};
}

} // namespace cc_agent
