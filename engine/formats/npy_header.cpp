#include "engine/formats/npy_header.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <optional>

#include "engine/base/check.h"

namespace glia {

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxRank = 32;                       // NumPy's own limit
constexpr std::int64_t kMaxNumel = std::int64_t{1} << 58;  // times 8 bytes still fits 63 bits

/// Reads the dictionary literal, no more of Python's grammar than NumPy writes.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  NpyInfo parse() {
    expect('{');
    while (!accept('}')) {
      parse_entry();
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (position_ != text_.size()) malformed("text after the closing brace");
    if (!dtype_) malformed("no key 'descr'");
    if (!order_) malformed("no key 'fortran_order'");
    if (!shape_) malformed("no key 'shape'");
    return {*shape_, *dtype_, *order_};
  }

 private:
  [[noreturn]] void malformed(std::string_view what) const {
    fail("{}: malformed .npy header: {} (byte {} of the dictionary); save it again with numpy.save",
         name_, what, position_);
  }

  void skip_space() {
    while (position_ < text_.size() &&
           std::string_view(" \t\r\n").find(text_[position_]) != std::string_view::npos)
      ++position_;
  }

  char peek() {
    skip_space();
    return position_ < text_.size() ? text_[position_] : '\0';
  }

  bool accept(char wanted) {
    if (peek() != wanted || position_ == text_.size()) return false;
    ++position_;
    return true;
  }

  void expect(char wanted) {
    if (!accept(wanted)) malformed(fmt::format("expected '{}'", wanted));
  }

  bool accept_word(std::string_view word) {
    skip_space();
    if (text_.substr(position_, word.size()) != word) return false;
    position_ += word.size();
    return true;
  }

  std::string parse_string() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') malformed("expected a quoted string");
    const std::size_t end = text_.find(quote, position_ + 1);
    if (end == std::string_view::npos) malformed("a string without its closing quote");
    const std::string_view text = text_.substr(position_ + 1, end - position_ - 1);
    // Printable ASCII only: the text goes into messages on the user's terminal.
    if (!std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; }))
      malformed("a string with unprintable bytes");
    position_ = end + 1;
    return std::string(text);
  }

  std::int64_t parse_extent() {
    if (peek() == '-') malformed("a negative extent in 'shape'");
    const std::size_t start = position_;
    std::int64_t value = 0;
    for (; position_ < text_.size() && text_[position_] >= '0' && text_[position_] <= '9';
         ++position_) {
      value = value * 10 + (text_[position_] - '0');
      if (value > kMaxNumel) malformed("an extent beyond any file's size in 'shape'");
    }
    if (position_ == start) malformed("expected a number in 'shape'");
    accept('L');  // Python 2 wrote long integers so
    return value;
  }

  std::vector<std::int64_t> parse_shape() {
    std::vector<std::int64_t> shape;
    expect('(');
    while (!accept(')')) {
      if (shape.size() == kMaxRank) malformed("more than 32 dimensions");
      shape.push_back(parse_extent());
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return shape;
  }

  bool parse_bool() {
    if (accept_word("True")) return true;
    if (accept_word("False")) return false;
    malformed("expected True or False");
  }

  void parse_entry() {
    const std::string key = parse_string();
    expect(':');
    if (key == "descr" && !dtype_) {
      check(peek() != '[',
            "{}: a structured array (records with named fields); save the field with the pixels "
            "as a plain array",
            name_);
      dtype_ = parse_string();
    } else if (key == "fortran_order" && !order_) {
      order_ = parse_bool();
    } else if (key == "shape" && !shape_) {
      shape_ = parse_shape();
    } else {
      malformed("an unknown or repeated key");
    }
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t position_ = 0;
  std::optional<std::string> dtype_;
  std::optional<bool> order_;
  std::optional<std::vector<std::int64_t>> shape_;
};

/// Fills kind, item size and byte order from a type such as "<f4".
void parse_dtype(NpyHeader& header, const std::string& name) {
  const std::string& dtype = header.info.dtype;
  check(dtype != "|O" && dtype != "O",
        "{}: holds pickled Python objects (dtype object), which are never loaded; save a numeric "
        "array: numpy.save(path, array.astype('float32'))",
        name);
  constexpr std::string_view kKnown[] = {"b1", "i1", "i2", "i4", "i8", "u1",
                                         "u2", "u4", "u8", "f2", "f4", "f8"};
  const char order = dtype.empty() ? '\0' : dtype[0];
  const std::string_view type = std::string_view(dtype).substr(dtype.empty() ? 0 : 1);
  const bool known = std::find(std::begin(kKnown), std::end(kKnown), type) != std::end(kKnown);
  const bool ordered = order == '<' || order == '>' || order == '=';
  check(known && (ordered || (order == '|' && type[1] == '1')),
        "{}: dtype '{}' is not supported; expected bool, int8 to int64, uint8 to uint64 or float16 "
        "to float64: save it with array.astype('float32')",
        name, dtype);
  header.kind = type[0];
  header.item_size = static_cast<std::size_t>(type[1] - '0');
  header.big_endian = order == '>' || (order == '=' && std::endian::native == std::endian::big);
}

void check_numel(const NpyInfo& info, const std::string& name) {
  std::int64_t product = 1;
  for (std::int64_t extent : info.shape) {
    const bool overflows =
        __builtin_mul_overflow(product, std::max<std::int64_t>(extent, 1), &product);
    check(!overflows && product <= kMaxNumel,
          "{}: the header claims the shape [{}], more than any file can hold; the file is damaged",
          name, fmt::join(info.shape, ", "));
  }
}

/// Where the dictionary starts and how long it is.
struct Extent {
  std::size_t offset, length;
};

Extent locate_dictionary(std::string_view prefix, const std::string& name) {
  check(!prefix.empty(), "{}: the file is empty; expected a .npy array", name);
  check(!prefix.starts_with("PK\x03\x04") && !prefix.starts_with("PK\x05\x06"),
        "{}: a zip archive (.npz, from numpy.savez), not a .npy array; unpack it and save each "
        "array with numpy.save",
        name);
  check(prefix.starts_with(kMagic),
        "{}: not a .npy file (it does not start with \\x93NUMPY); save it with numpy.save", name);
  check(prefix.size() >= 10, "{}: truncated inside the .npy header; copy the file again", name);
  const auto byte = [&](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(prefix[i]));
  };
  const std::size_t version = byte(6);
  check(version >= 1 && version <= 3,
        "{}: .npy version {}.{} is unknown; expected 1, 2 or 3: save it with numpy.save", name,
        version, byte(7));
  if (version == 1) return {10, byte(8) | byte(9) << 8};
  check(prefix.size() >= 12, "{}: truncated inside the .npy header; copy the file again", name);
  return {12, byte(8) | byte(9) << 8 | byte(10) << 16 | byte(11) << 24};
}

}  // namespace

NpyHeader parse_npy_header(std::string_view prefix, std::uint64_t file_size,
                           const std::string& name) {
  const Extent dictionary = locate_dictionary(prefix, name);
  check(dictionary.length <= kMaxNpyHeader - dictionary.offset,
        "{}: claims a header of {} bytes, a plain array needs about 100; the file is damaged or no "
        "plain array",
        name, dictionary.length);
  check(dictionary.offset + dictionary.length <= prefix.size(),
        "{}: truncated: the header needs {} bytes, the file has {}; copy the file again", name,
        dictionary.offset + dictionary.length, file_size);
  NpyHeader header;
  header.data_offset = dictionary.offset + dictionary.length;
  header.info = HeaderParser(prefix.substr(dictionary.offset, dictionary.length), name).parse();
  parse_dtype(header, name);
  check_numel(header.info, name);
  const std::uint64_t found = file_size - header.data_offset, expected = header.data_bytes();
  check(found >= expected,
        "{}: truncated: {} needs {} bytes of data, the file has {}; copy it again", name,
        header.info.str(), expected, found);
  check(found == expected,
        "{}: {} bytes too long: {} needs {} bytes of data, the file has {}; save it again with "
        "numpy.save",
        name, found - expected, header.info.str(), expected, found);
  return header;
}

}  // namespace glia
