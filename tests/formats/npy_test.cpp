#include "engine/formats/npy.h"

#include <bit>
#include <cmath>

#include "tests/catch.h"
#include "tests/data/slices.h"
#include "tests/temp_folder.h"

using namespace glia;

namespace {

std::string dictionary(const std::string& dtype, const std::string& shape,
                       const std::string& order = "False") {
  return "{'descr': '" + dtype + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
}

NpyArray read_bytes(const TempFolder& folder, std::string_view bytes) {
  write_bytes(folder.path() / "a.npy", bytes);
  return read_npy(folder.path() / "a.npy");
}

std::string error_for(const TempFolder& folder, std::string_view bytes) {
  return error_of([&] { read_bytes(folder, bytes); });
}

/// The bytes of one number, most significant first when `big`.
template <class T>
std::string item(T value, bool big) {
  std::string bytes(reinterpret_cast<const char*>(&value), sizeof(T));
  return big ? std::string(bytes.rbegin(), bytes.rend()) : bytes;
}

template <class T>
void check_type(const TempFolder& folder, const std::string& type, T value, float expected) {
  for (bool big : {false, true}) {
    const std::string dtype = (big ? ">" : "<") + type;
    INFO(dtype);
    const NpyArray array = read_bytes(
        folder, npy_bytes(1, dictionary(dtype, "(2,)"), item(T{1}, big) + item(value, big)));
    CHECK(array.values == std::vector<float>{1, expected});
  }
}

}  // namespace

TEST_CASE("npy: what is written is read back, header aligned to 64 bytes", "[npy]") {
  const TempFolder folder;
  const std::vector<float> values = {0, -1.5f, 3e-30f, 4, 5, 6};
  write_npy<float>(folder.path() / "f.npy", {2, 3, 1}, values);
  const NpyArray array = read_npy(folder.path() / "f.npy");
  CHECK(array.values == values);
  CHECK(array.info.str() == "float32 [2, 3, 1]");
  CHECK((std::filesystem::file_size(folder.path() / "f.npy") - 24) % 64 == 0);
  const std::vector<std::uint8_t> bytes = {0, 255, 7};
  write_npy<std::uint8_t>(folder.path() / "u.npy", {3}, bytes);
  CHECK(read_npy(folder.path() / "u.npy").values == std::vector<float>{0, 255, 7});
  CHECK(read_npy_info(folder.path() / "u.npy").str() == "uint8 [3]");
}

TEST_CASE("npy: a shape that does not fit the values is refused", "[npy]") {
  const TempFolder folder;
  const std::vector<float> values(5);
  CHECK_THROWS_WITH(write_npy<float>(folder.path() / "f.npy", {2, 3}, values),
                    ContainsSubstring("does not fit 5 values"));
  CHECK_FALSE(std::filesystem::exists(folder.path() / "f.npy"));
}

TEST_CASE("npy: every dtype in both byte orders", "[npy]") {
  const TempFolder folder;
  check_type<std::int8_t>(folder, "i1", -128, -128);
  check_type<std::int16_t>(folder, "i2", -12345, -12345);
  check_type<std::int32_t>(folder, "i4", -7654321, -7654321);
  check_type<std::int64_t>(folder, "i8", std::int64_t{-1} << 40, -0x1p40f);
  check_type<std::uint8_t>(folder, "u1", 200, 200);
  check_type<std::uint16_t>(folder, "u2", 65535, 65535);
  check_type<std::uint32_t>(folder, "u4", 1u << 31, 0x1p31f);
  check_type<std::uint64_t>(folder, "u8", std::uint64_t{1} << 63, 0x1p63f);
  check_type<float>(folder, "f4", -2.5f, -2.5f);
  check_type<double>(folder, "f8", 1e-3, 1e-3f);
  CHECK(read_bytes(folder, npy_bytes(1, dictionary("|b1", "(3,)"), std::string("\0\1\2", 3)))
            .values == std::vector<float>{0, 1, 1});
}

TEST_CASE("npy: half precision, with subnormals and the special values", "[npy]") {
  const TempFolder folder;
  std::string data;
  for (std::uint16_t bits : {0x3C00, 0xC000, 0x7BFF, 0x0001, 0x8000, 0x7C00, 0xFC00, 0x7E00})
    data += item(bits, false);
  const std::vector<float> v =
      read_bytes(folder, npy_bytes(1, dictionary("<f2", "(8,)"), data)).values;
  CHECK(std::vector<float>(v.begin(), v.begin() + 4) == std::vector<float>{1, -2, 65504, 0x1p-24f});
  CHECK((v[4] == 0 && std::signbit(v[4])));
  CHECK((std::isinf(v[5]) && v[5] > 0 && std::isinf(v[6]) && v[6] < 0));
  CHECK(std::isnan(v[7]));
}

TEST_CASE("npy: versions 1 to 3, any key order and spacing, scalars and empty arrays", "[npy]") {
  const TempFolder folder;
  for (int version : {1, 2, 3})
    CHECK(read_bytes(folder, npy_bytes(version, dictionary("|u1", "(1, 2)"), "\4\5")).values ==
          std::vector<float>{4, 5});
  const std::string odd = "{\"shape\":( 2 ,1L ),'fortran_order':False ,\n'descr':'|u1'}   \n";
  CHECK(read_bytes(folder, npy_bytes(1, odd, "\4\5")).info.shape ==
        std::vector<std::int64_t>{2, 1});
  CHECK(read_bytes(folder, npy_bytes(1, dictionary("|u1", "()"), "\4")).values.size() == 1);
  CHECK(read_bytes(folder, npy_bytes(1, dictionary("<f8", "(0, 7)"), "")).values.empty());
}

TEST_CASE("npy: Fortran order is turned into C order", "[npy]") {
  const TempFolder folder;
  // Element (i, j, k) of a 2x3x2 array holds 100 i + 10 j + k; the first index varies fastest.
  std::string data;
  for (int k = 0; k < 2; ++k)
    for (int j = 0; j < 3; ++j)
      for (int i = 0; i < 2; ++i) data += static_cast<char>(100 * i + 10 * j + k);
  const NpyArray array =
      read_bytes(folder, npy_bytes(1, dictionary("|u1", "(2, 3, 2)", "True"), data));
  CHECK(array.values == std::vector<float>{0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121});
}

TEST_CASE("npy: files of another kind are named for what they are", "[npy]") {
  const TempFolder folder;
  CHECK_THAT(error_for(folder, std::string("PK\x03\x04rest")), ContainsSubstring(".npz"));
  CHECK_THAT(error_for(folder, ""), ContainsSubstring("empty"));
  CHECK_THAT(error_for(folder, "hello, this is text"), ContainsSubstring("not a .npy file"));
  CHECK_THAT(error_for(folder, npy_bytes(1, dictionary("|O", "(1,)"), "x")),
             ContainsSubstring("pickled"));
  CHECK_THAT(error_for(folder, npy_bytes(1, dictionary("<c8", "(1,)"), "12345678")),
             ContainsSubstring("dtype '<c8' is not supported"));
  CHECK_THAT(error_for(folder, npy_bytes(1, dictionary("|f4", "(1,)"), "1234")),
             ContainsSubstring("is not supported"));
  const std::string records = "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}";
  CHECK_THAT(error_for(folder, npy_bytes(1, records, "1234")),
             ContainsSubstring("structured array"));
  CHECK_THAT(error_for(folder, npy_bytes(4, dictionary("|u1", "(1,)"), "x")),
             ContainsSubstring("version 4.0 is unknown"));
  CHECK_THAT(error_of([&] { read_npy(folder.path() / "none.npy"); }),
             ContainsSubstring("no such file"));
  CHECK_THAT(error_of([&] { read_npy(folder.path()); }),
             ContainsSubstring("cannot read: a folder"));
  CHECK_THAT(error_for(folder, "hello"), ContainsSubstring((folder.path() / "a.npy").string()));
}

TEST_CASE("npy: the header must agree with the file's size", "[npy]") {
  const TempFolder folder;
  CHECK_THAT(error_for(folder, npy_bytes(1, dictionary("<f4", "(2,)"), "1234567")),
             ContainsSubstring("truncated: float32 [2] needs 8 bytes of data, the file has 7"));
  CHECK_THAT(error_for(folder, npy_bytes(1, dictionary("<f4", "(2,)"), "123456789")),
             ContainsSubstring("1 bytes too long"));
  const std::string whole = npy_bytes(1, dictionary("<f4", "(2,)"), "12345678");
  for (std::size_t length = 0; length < whole.size(); ++length)
    CHECK(error_for(folder, whole.substr(0, length)) != "");
}

TEST_CASE("npy: hostile headers", "[npy]") {
  const TempFolder folder;
  const auto shape = [&](const std::string& text) {
    return error_for(folder, npy_bytes(1, dictionary("<f4", text), "12345678"));
  };
  CHECK_THAT(shape("(-1, 2)"), ContainsSubstring("negative extent"));
  CHECK_THAT(shape("(99999999999999999999999, 2)"), ContainsSubstring("beyond any file's size"));
  CHECK_THAT(shape("(4294967296, 4294967296, 2)"),
             ContainsSubstring("more than any file can hold"));
  CHECK_THAT(shape("(0, 4294967296, 4294967296)"),
             ContainsSubstring("more than any file can hold"));
  CHECK_THAT(shape("(100000000000, 2)"), ContainsSubstring("truncated"));
  CHECK_THAT(shape("(2.0,)"), ContainsSubstring("malformed"));
  CHECK_THAT(shape("(2,"), ContainsSubstring("malformed"));
  std::string deep = "(";
  for (int i = 0; i < 40; ++i) deep += "1, ";
  CHECK_THAT(shape(deep + ")"), ContainsSubstring("more than 32 dimensions"));
  const auto header = [&](const std::string& text) {
    return error_for(folder, npy_bytes(1, text, "1234"));
  };
  CHECK_THAT(header("{'descr': '<f4', 'shape': (1,)}"),
             ContainsSubstring("no key 'fortran_order'"));
  CHECK_THAT(header("{'fortran_order': False, 'shape': (1,)}"),
             ContainsSubstring("no key 'descr'"));
  CHECK_THAT(header("{'descr': '<f4', 'fortran_order': False}"),
             ContainsSubstring("no key 'shape'"));
  CHECK_THAT(header(dictionary("<f4", "(1,)") + "x"), ContainsSubstring("after the closing brace"));
  CHECK_THAT(header("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}"),
             ContainsSubstring("unknown or repeated key"));
  CHECK_THAT(header("{'descr': '\x1b[31m', 'fortran_order': False, 'shape': (1,)}"),
             ContainsSubstring("unprintable"));
  CHECK_THAT(error_for(folder, std::string("\x93NUMPY\x02\0\xff\xff\xff\xff{}", 14)),
             ContainsSubstring("claims a header of 4294967295 bytes"));
}
