/* SPDX-License-Identifier: MIT */
/* Stands in for the kernel's path to the header that user space has too. */
#include <linux/peerbuf.h>
