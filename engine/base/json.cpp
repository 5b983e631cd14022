#include "engine/base/json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/base/check.h"
#include "engine/base/text.h"

namespace glia {

namespace {

/// "line 3, column 7" of a byte.
std::string place_of(std::string_view text, std::size_t byte) {
  const std::string_view before = text.substr(0, std::min(byte, text.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t start = before.rfind('\n');
  return fmt::format("line {}, column {}", line,
                     before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1);
}

void check_depth(std::string_view text, const std::string& name) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      check(
          ++depth <= kMaxJsonDepth,
          "{}: JSON that nests deeper than {} levels, at {}, which no file for Glia does; copy the "
          "file again, or name the right one",
          name, kMaxJsonDepth, place_of(text, i));
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
}

}  // namespace

template <class Json>
Json parse_json(std::string_view text, const std::string& name) {
  check_depth(text, name);
  try {
    return Json::parse(text);
  } catch (const typename Json::parse_error& error) {
    fail("{}: no valid JSON at {}; mend it or copy the file again", name,
         place_of(text, error.byte > 0 ? error.byte - 1 : 0));
  } catch (const typename Json::exception&) {
    fail("{}: JSON with a number that no computer holds; mend it or copy the file again", name);
  }
}

template <class Json>
Json json_or_null(std::string_view text) {
  try {
    return parse_json<Json>(text, "");
  } catch (const Error&) {
    return nullptr;
  }
}

namespace {

/// A copy whose texts are UTF-8.
template <class Json>
Json as_utf8(const Json& json) {
  if (json.is_string()) return utf8_text(json.template get_ref<const std::string&>());
  if (!json.is_structured()) return json;
  Json copy(json.type());
  if (json.is_array())
    for (const Json& item : json) copy.push_back(as_utf8(item));
  else
    for (const auto& item : json.items()) copy[utf8_text(item.key())] = as_utf8(item.value());
  return copy;
}

}  // namespace

template <class Json>
std::string json_text(const Json& json, int indent) {
  try {
    return json.dump(indent);
  } catch (const typename Json::type_error&) {  // the only one of writing: a text is no UTF-8
    return as_utf8(json).dump(indent);
  }
}

namespace {

/// How messages name a type, and whether a value has it.
template <class T>
struct Kind;
template <>
struct Kind<bool> {
  static constexpr const char* kName = "true or false";
  static bool fits(const nlohmann::json& value) { return value.is_boolean(); }
};
template <>
struct Kind<std::int64_t> {
  static constexpr const char* kName = "a whole number";
  static bool fits(const nlohmann::json& value) {
    return value.is_number_integer() &&
           (!value.is_number_unsigned() || value.get<std::uint64_t>() <= INT64_MAX);
  }
};
template <>
struct Kind<std::uint64_t> {
  static constexpr const char* kName = "a whole number of at least 0";
  static bool fits(const nlohmann::json& value) { return value.is_number_unsigned(); }
};
template <>
struct Kind<double> {
  static constexpr const char* kName = "a number";
  static bool fits(const nlohmann::json& value) { return value.is_number(); }
};
template <>
struct Kind<std::string> {
  static constexpr const char* kName = "a text";
  static bool fits(const nlohmann::json& value) { return value.is_string(); }
};

/// A value as messages show it.
std::string shown(const nlohmann::json& value) {
  constexpr std::size_t kLongest = 60;
  const std::string text = json_text(value);
  return text.size() <= kLongest ? text : text.substr(0, kLongest) + "...";
}

}  // namespace

template <class T>
T json_field(const nlohmann::json& json, const char* key, const std::string& name) {
  check(json.is_object() && json.contains(key), "{}: has no '{}'; expected {}", name, key,
        Kind<T>::kName);
  const nlohmann::json& value = json.at(key);
  check(Kind<T>::fits(value), "{}: '{}' is {}; expected {}", name, key, shown(value),
        Kind<T>::kName);
  return value.get<T>();
}

template <class T>
T json_field(const nlohmann::json& json, const char* key, const T& otherwise,
             const std::string& name) {
  return json.is_object() && !json.contains(key) ? otherwise : json_field<T>(json, key, name);
}

#define GLIA_JSON_FIELD(T)                                                          \
  template T json_field<T>(const nlohmann::json&, const char*, const std::string&); \
  template T json_field<T>(const nlohmann::json&, const char*, const T&, const std::string&)
GLIA_JSON_FIELD(bool);
GLIA_JSON_FIELD(std::int64_t);
GLIA_JSON_FIELD(std::uint64_t);
GLIA_JSON_FIELD(double);
GLIA_JSON_FIELD(std::string);
#undef GLIA_JSON_FIELD

void check_known_keys(const nlohmann::json& json, const nlohmann::json& known,
                      const std::string& name) {
  for (const auto& item : json.items())
    check(known.contains(item.key()),
          "{}: '{}' is none that this version of Glia knows; take the version that made the "
          "checkpoint, or a checkpoint that is not damaged",
          name, printable_name(item.key()));
}

template nlohmann::json parse_json(std::string_view, const std::string&);
template nlohmann::ordered_json parse_json(std::string_view, const std::string&);
template nlohmann::json json_or_null(std::string_view);
template nlohmann::ordered_json json_or_null(std::string_view);
template std::string json_text(const nlohmann::json&, int);
template std::string json_text(const nlohmann::ordered_json&, int);

}  // namespace glia
