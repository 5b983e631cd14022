#include "engine/formats/nifti.h"

#include <cmath>
#include <cstring>

#include "engine/base/file.h"
#include "engine/formats/gzip.h"
#include "engine/formats/volume_slices.h"
#include "tests/catch.h"
#include "tests/data/slices.h"
#include "tests/formats/encode.h"
#include "tests/temp_folder.h"

using namespace glia;

namespace {

const std::vector<float> kValues{1, 2, 3, 4, 5, 6};  // [k 1, j 2, i 3]
const NiftiSpec kSpec{.dims = {3, 2, 1}};

template <class T>
std::string data_of() {
  return bytes_of(std::vector<T>(kValues.begin(), kValues.end()));
}

std::string refusal(const std::string& bytes) {
  return error_of([&] { decode_nifti(bytes, "f"); });
}

}  // namespace

TEST_CASE("nifti: every type of number, scaled", "[nifti]") {
  struct Type {
    int code, bits;
    std::string data;
  };
  const std::vector<Type> types{
      {2, 8, data_of<std::uint8_t>()},     {256, 8, data_of<std::int8_t>()},
      {4, 16, data_of<std::int16_t>()},    {512, 16, data_of<std::uint16_t>()},
      {8, 32, data_of<std::int32_t>()},    {768, 32, data_of<std::uint32_t>()},
      {1024, 64, data_of<std::int64_t>()}, {1280, 64, data_of<std::uint64_t>()},
      {16, 32, data_of<float>()},          {64, 64, data_of<double>()}};
  for (const Type& type : types) {
    CAPTURE(type.code);
    NiftiSpec spec = kSpec;
    spec.datatype = type.code;
    spec.bits = type.bits;
    CHECK(decode_nifti(nifti_file(spec, type.data), "f").values == kValues);
    CHECK(decode_nifti(nifti2_file(spec, type.data), "f").values == kValues);
    CHECK(decode_nifti(gzip(nifti_file(spec, type.data)), "f").values == kValues);
    CHECK(decode_nifti(swapped_nifti_file(spec, type.data, type.data.size() / 6), "f").values ==
          kValues);
    spec.slope = -2;
    spec.intercept = 0.5F;
    CHECK(decode_nifti(nifti_file(spec, type.data), "f").values ==
          std::vector<float>{-1.5, -3.5, -5.5, -7.5, -9.5, -11.5});
  }
}

TEST_CASE("nifti: float64 and scaled values beyond float32 are refused as what they are",
          "[nifti]") {
  NiftiSpec spec = kSpec;
  spec.slope = 1e38F;
  CHECK_THAT(
      refusal(nifti_file(spec, data_of<float>())),
      ContainsSubstring("f: 3 of 6 values, the first 4e+38, are beyond the range of float32"));
  spec = kSpec;
  spec.datatype = spec.bits = 64;
  const std::vector<double> wide{1, -1e300, 3, 4, 5, 6};
  CHECK_THAT(refusal(nifti_file(spec, bytes_of(wide))),
             ContainsSubstring("f: 1 of 6 values, the first -1e+300, are beyond"));
}

TEST_CASE("nifti: a slope of NaN scales nothing, an infinite one is refused", "[nifti]") {
  NiftiSpec spec = kSpec;
  spec.slope = std::nanf("");
  CHECK(decode_nifti(nifti_file(spec, data_of<float>()), "f").values == kValues);
  spec.slope = INFINITY;
  CHECK_THAT(refusal(nifti_file(spec, data_of<float>())),
             ContainsSubstring("scales its values by inf"));
}

TEST_CASE("nifti: the fourth dimension holds channels", "[nifti]") {
  NiftiSpec spec = kSpec;
  spec.dims = {3, 1, 1, 2};
  const NiftiVolume volume = decode_nifti(nifti_file(spec, data_of<float>()), "f");
  CHECK(volume.header.channels == 2);
  CHECK(volume.header.kind == "float32 [3, 1, 1, 2]");
  spec.dims = {3, 1, 1, 1, 2};
  CHECK(decode_nifti(nifti_file(spec, data_of<float>()), "f").header.channels == 2);
  spec.dims = {1, 1, 1, 3, 2};
  CHECK_THAT(refusal(nifti_file(spec, data_of<float>())),
             ContainsSubstring("a NIfTI file of 5 dimensions"));
}

TEST_CASE("nifti: damage and other formats are refused with a reason", "[nifti]") {
  const std::string good = nifti_file(kSpec, data_of<float>());
  REQUIRE(refusal(good).empty());
  CHECK_THAT(refusal(""), ContainsSubstring("empty"));
  CHECK_THAT(refusal(good.substr(0, 100)), ContainsSubstring("100 bytes are no NIfTI file"));
  CHECK_THAT(refusal(good.substr(0, good.size() - 1)),
             ContainsSubstring("needs 376 bytes, the file has 375"));
  CHECK_THAT(
      refusal(good + "x"),
      ContainsSubstring("1 bytes too long: float32 [3, 2, 1] needs 376 bytes, the file has 377"));
  CHECK_THAT(refusal(std::string(400, 'x')), ContainsSubstring("not a NIfTI file"));

  const std::string packed = gzip(good);
  CHECK_THAT(refusal(packed.substr(0, packed.size() - 9)), ContainsSubstring("damaged gzip file"));
  CHECK_THAT(refusal(gzip(good + "x")), ContainsSubstring("expands to more than"));
  CHECK_THAT(refusal(packed + "garbage"),
             ContainsSubstring("f: 7 bytes follow the end of its packed data"));
  std::string flipped = packed;
  flipped[packed.size() - 6] = static_cast<char>(flipped[packed.size() - 6] ^ 1);  // the checksum
  CHECK_THAT(refusal(flipped), ContainsSubstring("damaged gzip file"));

  const auto refused = [](auto&& change) {
    NiftiSpec spec = kSpec;
    change(spec);
    return refusal(nifti_file(spec, data_of<float>()));
  };
  CHECK_THAT(refused([](NiftiSpec& s) { s.magic = "ni1"; }), ContainsSubstring(".hdr and .img"));
  CHECK_THAT(refused([](NiftiSpec& s) { s.magic = ""; }), ContainsSubstring("Analyze"));
  CHECK_THAT(refused([](NiftiSpec& s) { s.datatype = 128; }), ContainsSubstring("data type 128"));
  CHECK_THAT(refused([](NiftiSpec& s) { s.bits = 16; }), ContainsSubstring("float32 of 16 bits"));
  CHECK_THAT(refused([](NiftiSpec& s) {
               s.dims = {3, -2, 1};
             }),
             ContainsSubstring("extents [3, -2, 1]"));
  CHECK_THAT(refused([](NiftiSpec& s) {
               s.dims = {32767, 32767, 32767};
             }),
             ContainsSubstring("no more than"));
  CHECK_THAT(refused([](NiftiSpec& s) { s.dims = {}; }), ContainsSubstring("0 dimensions"));
  CHECK_THAT(refused([](NiftiSpec& s) { s.data_offset = 348; }),
             ContainsSubstring("starts at byte 348"));
  CHECK_THAT(refused([](NiftiSpec& s) { s.sform = 1; }),
             ContainsSubstring("sform puts all voxels"));
  NiftiSpec large = kSpec;
  large.dims = {1000, 1000, 1000};
  CHECK_THAT(refusal(gzip(nifti_file(large, data_of<float>()))),
             ContainsSubstring("more than a packed file of"));
}

TEST_CASE("nifti: the two ways to say where a volume lies agree", "[nifti]") {
  NiftiSpec by_rows = kSpec, by_quaternion = kSpec;
  by_rows.sform = 1;
  by_rows.srow = {{{-2, 0, 0, 10}, {0, -3, 0, 20}, {0, 0, 4, 30}}};
  by_quaternion.qform = 1;
  by_quaternion.quatern = {0, 0, 1, 10, 20, 30};  // half a turn around the head's axis
  by_quaternion.pixdim = {1, 2, 3, 4};
  const NiftiHeader a = decode_nifti(nifti_file(by_rows, data_of<float>()), "f").header;
  const NiftiHeader b = decode_nifti(nifti_file(by_quaternion, data_of<float>()), "f").header;
  CHECK(a.axes == "LPS");
  CHECK(b.axes == "LPS");
  CHECK(a.spacing == std::array<double, 3>{2, 3, 4});
  for (std::size_t row = 0; row < 3; ++row)
    for (std::size_t column = 0; column < 4; ++column)
      CHECK((*a.affine)[row][column] == Approx((*b.affine)[row][column]).margin(1e-5));
  by_rows.units = 1;  // metres
  CHECK(decode_nifti(nifti_file(by_rows, data_of<float>()), "f").header.spacing ==
        std::array<double, 3>{2000, 3000, 4000});
}

TEST_CASE("nifti: a quaternion that is none is refused, a length that is none unknown", "[nifti]") {
  NiftiSpec spec = kSpec;
  spec.qform = 1;
  spec.quatern = {2, 2, 2, 0, 0, 0};
  CHECK_THAT(refusal(nifti_file(spec, data_of<float>())),
             ContainsSubstring("its quaternion (2, 2, 2) is 3.4641 long, expected at most 1"));
  spec.qform = 0;
  spec.pixdim = {1, NAN, 2, 3};
  CHECK(decode_nifti(nifti_file(spec, data_of<float>()), "f").header.spacing ==
        std::array<double, 3>{});
}

TEST_CASE("nifti: a mask keeps the place of its volume bit by bit", "[nifti]") {
  const TempFolder folder;
  NiftiSpec spec = kSpec;
  spec.dims = {3, 1, 2, 2};
  spec.slope = 3;
  spec.qform = 1;
  spec.sform = 2;
  spec.quatern = {0.1F, 0.2F, 0.3F, 4, 5, 6};
  spec.srow = {{{-1.1F, 0.1F, 0, 10}, {0.1F, -1, 0, 20}, {0, 0, 2, 30}}};
  const std::string data(3 * 2 * 2 * 4, '\0');
  const std::vector<std::uint8_t> mask{0, 1, 1, 0, 0, 1};
  for (const std::string& file : {nifti_file(spec, data), nifti2_file(spec, data)}) {
    const NiftiHeader like = decode_nifti(file, "f").header;
    write_nifti_mask(folder.path() / "m.nii.gz", like, mask);
    const std::string written = gunzip(read_file(folder.path() / "m.nii.gz"), 1000, "m");
    const NiftiVolume back = decode_nifti(written, "m");
    CHECK(back.header.kind == "uint8 [3, 1, 2]");
    CHECK(back.values == std::vector<float>{0, 1, 1, 0, 0, 1});
    const bool first = like.bytes.size() == 348;
    const auto place = [&](const std::string& bytes) {  // the codes, quaternion and rows
      return first ? bytes.substr(252, 76) : bytes.substr(344, 152);
    };
    CHECK(place(written) == place(file));
    CHECK(read_nifti_header(folder.path() / "m.nii.gz").affine == like.affine);
    CHECK_THAT(error_of([&] {
                 write_nifti_mask(folder.path() / "m.nii.gz", like, std::vector<std::uint8_t>(5));
               }),
               ContainsSubstring("a mask of 5 voxels for a volume of 6"));
  }
}

TEST_CASE("gzip: streams one after the other are one", "[nifti]") {
  const std::string a(100000, 'a'), b = "b";
  CHECK(gunzip(gzip(a) + gzip(b), 100001, "f") == a + b);
  CHECK(gunzip_start(gzip(a) + gzip(b), 5, "f") == "aaaaa");
  CHECK(gunzip_start(gzip(b), 5, "f") == "b");
}

TEST_CASE("nifti: data that starts at 0 starts after the header", "[nifti]") {
  NiftiSpec spec = kSpec;
  std::string file = nifti_file(spec, data_of<float>());
  const float zero = 0;
  std::memcpy(file.data() + 108, &zero, sizeof zero);
  CHECK(decode_nifti(file, "f").values == kValues);
  CHECK(decode_nifti(gzip(file), "f").values == kValues);
  std::string second = nifti2_file(spec, data_of<float>());
  const std::int64_t none = 0;
  std::memcpy(second.data() + 168, &none, sizeof none);
  CHECK(decode_nifti(second, "f").values == kValues);
  CHECK_THAT(refusal(file + std::string(512, 'x')), ContainsSubstring("f: 512 bytes too long"));
}

TEST_CASE("nifti: a header that says two things of where voxels lie is doubted", "[nifti]") {
  NiftiSpec spec = kSpec;
  spec.pixdim = {1, 1.3158F, 1.3158F, 10};
  spec.qform = 1;
  spec.quatern = {0, 0, 1, 0, 0, 0};
  spec.sform = 1;
  spec.srow = {{{-1, 0, 0, 0}, {0, -1, 0, 0}, {0, 0, 1, 0}}};
  const auto header = [&] { return decode_nifti(nifti_file(spec, data_of<float>()), "f").header; };
  const NiftiHeader doubted = header();
  CHECK(doubted.spacing[0] == Approx(1.3158));
  CHECK(doubted.spacing[2] == Approx(10));
  CHECK_THAT(doubted.doubt,
             ContainsSubstring("1 x 1 x 1 mm apart, its qform and pixdim say 1.3158 x "
                               "1.3158 x 10 mm; the latter was believed"));
  CHECK(doubted.axes == "LPS");

  spec.qform = 0;  // pixdim alone says otherwise
  CHECK(header().spacing == std::array<double, 3>{1, 1, 1});
  CHECK_THAT(header().doubt, ContainsSubstring("the sform was believed"));
  spec.pixdim = {1, 1.005F, 1, 1};  // rounded
  CHECK(header().doubt.empty());
  spec.pixdim = {1, 0, 0, 0};  // says nothing
  CHECK(header().doubt.empty());

  spec.pixdim = {1, 1, 1, 1};
  spec.qform = 1;
  spec.quatern = {};  // no turn: RAS
  CHECK_THAT(header().doubt, ContainsSubstring("voxels run to LPS, its qform to RAS"));
}
