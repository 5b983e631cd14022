// What our charts have in common: colours, markers, escaped text. A chart is one self-contained SVG
// that follows the reader's light or dark preference.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace glia {

/// A <style> element. Classes: paper, grid, axis (dotted with rule), title, middle, end, line, bar,
/// mark, band; s0 to s3 colour a series' bars and colour and dash its line, m0 to m3 colour its
/// markers and its band.
std::string_view svg_style();

/// Text for between tags.
std::string svg_escape(std::string_view text);

/// The circle, square, triangle or diamond (index 0 to 3) of a series, centred on (x, y). `title`,
/// if given, shows when the pointer rests on it.
std::string svg_marker(std::size_t index, double x, double y, std::string_view title = {});

}  // namespace glia
