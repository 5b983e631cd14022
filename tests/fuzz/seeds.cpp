// Writes what the fuzz programs start from, a folder each. Usage: fuzz_seeds FOLDER
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "engine/base/file.h"
#include "engine/formats/gzip.h"
#include "engine/formats/npy.h"
#include "engine/formats/png_header.h"
#include "engine/formats/safetensors.h"
#include "tests/formats/encode.h"

using namespace glia;

namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder(const fs::path& root, const std::string& name) : path_(root / name) { make_folder(path_); }
  void add(std::string_view bytes) {
    std::ofstream out(path_ / ("seed" + std::to_string(count_++)), std::ios::binary);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
  int count_ = 0;
};

std::vector<std::uint16_t> ramp(int count, int bits) {
  std::vector<std::uint16_t> values;
  for (int i = 0; i < count; ++i)
    values.push_back(static_cast<std::uint16_t>((i * 40503 + 7) & ((1 << bits) - 1)));
  return values;
}

const std::string kXmpProperty =
                      "<r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
                      "<r:Description xmlns:tiff='http://ns.adobe.com/tiff/1.0/' "
                      "tiff:Orientation='6'/></r:RDF>",
                  kXmpText = "XML:com.adobe.xmp" + std::string(5, '\0') + kXmpProperty,
                  kXmpSegment =
                      "http://ns.adobe.com/xap/1.0/" + std::string(1, '\0') + kXmpProperty;

void write_png_seeds(const fs::path& root) {
  Folder folder(root, "png_fuzz");
  for (const bool interlaced : {false, true})
    for (const int channels : {1, 2, 3, 4})
      for (const int bits : {1, 2, 4, 8, 16})
        if (bits >= 8 || channels == 1)
          folder.add(png_file({.height = 5,
                               .width = 9,
                               .channels = channels,
                               .bits = bits,
                               .interlaced = interlaced,
                               .exif = exif_block(6)},
                              ramp(5 * 9 * channels, bits)));
  folder.add(png_file({.height = 2,
                       .width = 3,
                       .bits = 2,
                       .palette = {{0, 0, 0}, {9, 8, 7}, {1, 2, 3}},
                       .transparency = "a"},
                      {1, 2, 0, 0, 1, 2}));
  for (const bool packed : {false, true})
    folder.add(
        png_file({.height = 1,
                  .width = 3,
                  .texts = profile_chunk("Raw profile type exif",
                                         std::string("Exif\0\0", 6) + exif_block(6), packed)},
                 {1, 2, 3}));
  folder.add(png_file({.height = 1, .width = 3, .texts = png_chunk("iTXt", kXmpText)}, {1, 2, 3}));
  folder.add(
      png_file({.height = 1, .width = 3, .transparency = std::string("\0\2", 2)}, {1, 2, 3}));
}

void write_jpeg_seeds(const fs::path& root) {
  Folder folder(root, "jpeg_fuzz");
  for (const int channels : {1, 3}) {
    const auto values = ramp(16 * 17 * channels, 8);
    const std::string file =
        jpeg_file(16, 17, channels, std::vector<std::uint8_t>(values.begin(), values.end()));
    folder.add(file);
    folder.add(with_exif(file, exif_block(8, true)));
    folder.add(file.substr(0, 2) + std::string("\xFF\xE1", 2) +
               static_cast<char>((kXmpSegment.size() + 2) >> 8) +
               static_cast<char>((kXmpSegment.size() + 2) & 255) + kXmpSegment + file.substr(2));
  }
}

void write_tiff_seeds(const fs::path& root) {
  Folder folder(root, "tiff_fuzz");
  const std::string pixels = bytes_of(ramp(20 * 20 * 3, 16));
  for (const int compression : {1, 5, 7, 8, 32773})
    for (const bool tiled : {false, true})
      folder.add(tiff_file({.height = 20,
                            .width = 20,
                            .channels = 3,
                            .compression = compression,
                            .photometric = 2,
                            .tiled = tiled,
                            .big_endian = tiled},
                           pixels));
  for (const int compression : {1, 2, 3, 4})
    folder.add(tiff_file(
        {.height = 20, .width = 20, .bits = 1, .compression = compression, .photometric = 0},
        pixels));
  folder.add(tiff_file(
      {.height = 4, .width = 5, .bits = 4, .photometric = 3, .palette = {{1, 2, 3}}}, pixels));
  folder.add(tiff_file({.height = 4, .width = 5, .bits = 32, .format = 3}, pixels));
  folder.add(tiff_file({.height = 4, .width = 5, .channels = 3, .photometric = 2, .separate = true},
                       pixels));
}

void write_nifti_seeds(const fs::path& root) {
  Folder folder(root, "nifti_fuzz");
  const std::string data = bytes_of(ramp(5 * 4 * 3 * 2, 16));
  NiftiSpec spec{.dims = {5, 4, 3, 2}, .datatype = 4, .bits = 16, .slope = 2, .qform = 1};
  spec.quatern = {0, 0, 1, 5, 5, 5};
  folder.add(nifti_file(spec, data));
  spec.sform = 1;
  spec.srow = {{{0, 1, 0, 0}, {-1, 0, 0, 0}, {0, 0, 2, 0}}};
  folder.add(nifti_file(spec, data));
  folder.add(nifti2_file(spec, data));
  folder.add(swapped_nifti_file(spec, data, 2));
  folder.add(gzip(nifti_file(spec, data)));
}

void write_array_seeds(const fs::path& root) {
  Folder npy(root, "npy_fuzz");
  const std::vector<float> values(12, 1.5F);
  write_npy<float>(npy.path() / "floats", {2, 3, 2}, values);
  write_npy<std::uint8_t>(npy.path() / "bytes", {4, 3}, std::vector<std::uint8_t>(12));
  Folder tensors(root, "safetensors_fuzz");
  const fs::path file = tensors.path() / "whole";
  write_safetensors(
      file, std::vector<SafeTensors::Entry>{{.name = "w", .shape = {2, 6}, .values = values}},
      {{"glia", "{}"}});
  const std::string whole = read_file(file);
  fs::remove(file);
  tensors.add(std::string(1, '\0') + whole);
  tensors.add("\1" + whole.substr(8, whole.rfind('}') - 7));
  tensors.add("\2\6\3\0\6\1\1\4\2\1\5\1\6");
}

void write_text_seeds(const fs::path& root) {
  Folder json(root, "dataset_json_fuzz");
  for (const char* text :
       {R"({"modality": {"0": "a"}, "labels": {"0": "b", "1": "t"}, "training":
           [{"image": "./a.png", "label": "labelsTr/a.png"}]})",
        R"({"channel_names": {"0": "a", "1": "b"}, "file_ending": ".png", "labels": {"b": 0},
           "numTraining": 1})"}) {
    json.add(std::string(1, '\0') + text);
    Folder(root, "text_fuzz").add(text);
  }
  json.add("\1\6\3\0\6\1\1\4\2\1\5\1\6");
  Folder tables(root, "tables_fuzz");
  tables.add(
      "id,group,slice,image,mask,row_mm,column_mm\n1,p,0,\"a,b\"\"c\",m,,\n'=x,'=p,1,i,m,1,1\n");
  tables.add("\xEF\xBB\xBFgroup,id\r\na,1\r\n");
  tables.add("1\na b\n");
  tables.add("=1+1");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: fuzz_seeds FOLDER\n", stderr);
    return 2;
  }
  for (const auto write : {write_png_seeds, write_jpeg_seeds, write_tiff_seeds, write_nifti_seeds,
                           write_array_seeds, write_text_seeds})
    write(argv[1]);
  return 0;
}
