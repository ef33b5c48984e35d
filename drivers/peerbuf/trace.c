// SPDX-License-Identifier: GPL-2.0-only
/* Tracepoints: the one place that instantiates trace.h. */
#define CREATE_TRACE_POINTS
#include "trace.h"
