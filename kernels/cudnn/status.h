// cuDNN's answers in words.
#pragma once

#include <cudnn.h>

#include <string>

namespace glia::cudnn {

/// Whether cuDNN declines what was asked, as opposed to having failed at it. Nothing is queued
/// then.
bool is_refusal(cudnnStatus_t status);

/// The name of the status and cuDNN's own explanation of the last error, in one line.
std::string words_of(cudnnStatus_t status);

/// Throws `Error` "cudnn: what: words" unless `status` is success.
void require_success(cudnnStatus_t status, const char* what);

}  // namespace glia::cudnn
