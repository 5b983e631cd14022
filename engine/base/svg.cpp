#include "engine/base/svg.h"

#include <fmt/format.h>

#include <array>

#include "engine/base/text.h"

namespace glia {

std::string_view svg_style() {
  // Colours of Okabe and Ito's palette, told apart by colour-blind readers too; dash and marker
  // tell the lines apart in print. Plain classes, since not every renderer knows CSS variables.
  return R"(<style>
svg { color-scheme: light dark; }
text { font: 12px system-ui, sans-serif; fill: #333; }
.title { font-size: 14px; font-weight: 600; fill: #111; }
.middle { text-anchor: middle; } .end { text-anchor: end; }
.paper { fill: #fff; } .grid { stroke: #ddd; } .axis { stroke: #777; fill: none; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.mark { stroke: none; } .band { opacity: 0.18; } .rule { stroke-width: 1.5; stroke-dasharray: 2 3; }
.s1 { stroke-dasharray: 7 4; } .s2 { stroke-dasharray: 2 4; } .s3 { stroke-dasharray: 9 3 2 3; }
.s0 { stroke: #0072b2; } .s1 { stroke: #d55e00; } .s2 { stroke: #009e73; } .s3 { stroke: #a0527d; }
.m0 { fill: #0072b2; } .m1 { fill: #d55e00; } .m2 { fill: #009e73; } .m3 { fill: #a0527d; }
.bar { fill: none; stroke-width: 1.5; stroke-dasharray: none; }
@media (prefers-color-scheme: dark) {
text { fill: #ccc; } .title { fill: #eee; }
.paper { fill: #16181d; } .grid { stroke: #333840; } .axis { stroke: #8a8f98; }
.s0 { stroke: #56b4e9; } .s1 { stroke: #e69f00; } .s2 { stroke: #2fcf9f; } .s3 { stroke: #e08fc0; }
.m0 { fill: #56b4e9; } .m1 { fill: #e69f00; } .m2 { fill: #2fcf9f; } .m3 { fill: #e08fc0; }
}
</style>
)";
}

std::string svg_escape(std::string_view text) {
  std::string out;
  for (const char c : utf8_text(text)) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      default:
        // XML allows no control characters, not even escaped.
        out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out;
}

std::string svg_marker(std::size_t index, double x, double y, std::string_view title) {
  constexpr std::array kShapes{"m-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z", "m-3-3h6v6h-6z",
                               "m0-4l4 7h-8z", "m0-4.5l4.5 4.5l-4.5 4.5l-4.5-4.5z"};
  const std::string start = fmt::format("<path class=\"mark m{0}\" d=\"M{1:.2f} {2:.2f}{3}\"",
                                        index, x, y, kShapes[index]);
  if (title.empty()) return start + "/>\n";
  return start + "><title>" + svg_escape(title) + "</title></path>\n";
}

}  // namespace glia
