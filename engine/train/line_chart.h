// Moved to engine/report; this name goes away once nobody includes it.
#pragma once
#include "engine/report/line_chart.h"
