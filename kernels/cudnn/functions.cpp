#include "kernels/cudnn/functions.h"

#include "kernels/cudnn/shared_library.h"

namespace glia::cudnn {

namespace {

const SharedLibrary& library() {
  static const SharedLibrary kLibrary("cuDNN", "libcudnn.so.9", GLIA_CUDNN_LIBRARY);
  return kLibrary;
}

Functions load() {
  Functions f;
#define GLIA_CUDNN_FIND(name) f.name = reinterpret_cast<decltype(&::name)>(library().symbol(#name));
  GLIA_CUDNN_FUNCTIONS(GLIA_CUDNN_FIND)
#undef GLIA_CUDNN_FIND
  return f;
}

}  // namespace

const Functions& cudnn() {
  static const Functions kFunctions = load();
  return kFunctions;
}

std::string cudnn_path() {
  return library().path();
}

}  // namespace glia::cudnn
