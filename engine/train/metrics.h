// Moved to engine/metrics; this name goes away once nobody includes it.
#pragma once
#include "engine/metrics/evaluation_files.h"
