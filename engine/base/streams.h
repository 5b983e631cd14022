// The standard streams, so that what is printed is either there or known to be missing.
#pragma once

#include <string_view>

namespace glia {

/// Call before anything is opened: a standard stream that is closed becomes /dev/null. Otherwise
/// the next file would get its number, and what is printed would go into it.
void open_standard_streams();

/// Writes what is still buffered. Returns whether all that was printed is written; says on standard
/// error what is not.
bool finish_standard_streams();

/// A line on standard output, at once. A disk that is full stops no work that goes on for hours;
/// `finish_standard_streams` will tell.
void print_line(std::string_view line);

/// A line on standard error, likewise.
void print_note(std::string_view line);

}  // namespace glia
