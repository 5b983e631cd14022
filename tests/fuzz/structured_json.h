// JSON of any shape and depth from arbitrary bytes: most of it is sound, so that what reads it gets
// further than the library's first complaint.
#pragma once

#include <string>
#include <string_view>

namespace glia {

class StructuredJson {
 public:
  explicit StructuredJson(std::string_view choices) : choices_(choices) {}

  std::string text() {
    std::string text = value(0);
    // Now and then as deep as a stack is not.
    if (next() % 16 == 0) {
      const std::size_t depth = next() * 1000;
      text.insert(0, depth, '[');
      if (next() % 2 == 0) text.append(depth, ']');
    }
    return text;
  }

 private:
  unsigned next() {
    if (choices_.empty()) return 0;
    const auto byte = static_cast<unsigned char>(choices_[0]);
    choices_.remove_prefix(1);
    return byte;
  }

  /// Words that the parsers look for, and a few others.
  std::string word() {
    constexpr std::string_view kWords[] = {"dtype",
                                           "shape",
                                           "data_offsets",
                                           "__metadata__",
                                           "F32",
                                           "w",
                                           "training",
                                           "image",
                                           "label",
                                           "modality",
                                           "labels",
                                           "a.png",
                                           "0",
                                           "file_ending",
                                           "numTraining",
                                           "channel_names",
                                           "..",
                                           "/",
                                           "1",
                                           "",
                                           "glia",
                                           "glia-weights",
                                           "imagesTr/a.png",
                                           "labelsTr/a.png",
                                           "\\u0000",
                                           "../x.png",
                                           ".png",
                                           "F64"};
    return "\"" + std::string(kWords[next() % std::size(kWords)]) + "\"";
  }

  std::string value(int depth) {
    constexpr int kDeepest = 200;
    switch (depth > kDeepest ? next() % 4 : next() % 8) {
      case 0: return word();
      case 1: return std::to_string(static_cast<int>(next()) - 4);
      case 2: return next() % 2 == 0 ? "18446744073709551615" : "4e300";
      case 3: return next() % 2 == 0 ? "null" : "true";
      case 4:
      case 5: {
        std::string list = "[";
        for (unsigned i = next() % 4; i > 0; --i) list += value(depth + 1) + (i > 1 ? "," : "");
        return list + "]";
      }
      default: {
        std::string object = "{";
        for (unsigned i = next() % 6; i > 0; --i)
          object += word() + ":" + value(depth + 1) + (i > 1 ? "," : "");
        return object + "}";
      }
    }
  }

  std::string_view choices_;
};

}  // namespace glia
