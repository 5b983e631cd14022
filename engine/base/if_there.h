// What becomes of a file that has the name of one to be written.
#pragma once

namespace glia {

enum class IfThere : bool { replace, refuse };

}  // namespace glia
