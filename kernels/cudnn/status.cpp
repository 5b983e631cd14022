#include "kernels/cudnn/status.h"

#include <array>

#include "engine/base/check.h"
#include "kernels/cudnn/functions.h"

namespace glia::cudnn {

namespace {

/// `text` with every run of white space as one space.
std::string in_one_line(const char* text) {
  std::string line;
  for (; *text != '\0'; ++text) {
    const bool space = *text == ' ' || *text == '\n' || *text == '\t' || *text == '\r';
    if (!space)
      line += *text;
    else if (!line.empty() && line.back() != ' ')
      line += ' ';
  }
  if (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

}  // namespace

bool is_refusal(cudnnStatus_t status) {
  const int category = CUDNN_STATUS_CATEGORY(status);
  return category == CUDNN_STATUS_BAD_PARAM || category == CUDNN_STATUS_NOT_SUPPORTED;
}

std::string words_of(cudnnStatus_t status) {
  std::array<char, 1024> text{};
  cudnn().cudnnGetLastErrorString(text.data(), text.size());
  text.back() = '\0';
  const std::string explanation = in_one_line(text.data());
  const char* name = cudnn().cudnnGetErrorString(status);
  return explanation.empty() ? name : fmt::format("{} ({})", name, explanation);
}

void require_success(cudnnStatus_t status, const char* what) {
  if (status != CUDNN_STATUS_SUCCESS) fail("cudnn: {}: {}", what, words_of(status));
}

}  // namespace glia::cudnn
