// JSON from files, which nobody vouches for, and to them.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace glia {

/// Deeper than anything Glia reads. The library's own functions recurse, so what nests as deep as a
/// file is long would overflow the stack.
inline constexpr int kMaxJsonDepth = 64;

/// `Json` is nlohmann::json, or nlohmann::ordered_json for a file whose order is shown (it searches
/// objects from their front: for files with few keys). Throws `Error`, led by `name`, with line and
/// column, when `text` is no JSON or nests deeper than kMaxJsonDepth.
template <class Json = nlohmann::json>
Json parse_json(std::string_view text, const std::string& name);

/// The same, and null instead of an error: for files that may be anybody's.
template <class Json = nlohmann::json>
Json json_or_null(std::string_view text);

/// One line when `indent` is negative. Names of files need not be UTF-8, JSON must be: other bytes
/// become "\xFF" (what reads a path back writes it with text_of_path).
template <class Json>
std::string json_text(const Json& json, int indent = -1);

/// The value of a key. T is bool, std::int64_t, std::uint64_t, double or std::string; a whole
/// number is one that is written so. Throws `Error`, led by `name`, when `json` is no object, the
/// key is missing, or the value is something else or too large.
template <class T>
T json_field(const nlohmann::json& json, const char* key, const std::string& name);

/// The same, and `otherwise` where the key is missing.
template <class T>
T json_field(const nlohmann::json& json, const char* key, const T& otherwise,
             const std::string& name);

/// Throws `Error`, led by `name`, when `json` has a key that `known`, an object too, lacks: a newer
/// version may have written it, and what it asks for would not be done.
void check_known_keys(const nlohmann::json& json, const nlohmann::json& known,
                      const std::string& name);

}  // namespace glia
