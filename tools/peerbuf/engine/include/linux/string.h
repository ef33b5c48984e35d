/* SPDX-License-Identifier: MIT */
/* Stands in for the kernel's header. */
#include <string.h>
