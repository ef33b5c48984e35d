/* SPDX-License-Identifier: MIT */
/* What the library's files, and its test, share. Not installed, not exported. */
#ifndef LIBPEERBUF_INTERNAL_H
#define LIBPEERBUF_INTERNAL_H

#include "libpeerbuf.h"

/* peerbuf_list_providers() on any directory. */
int peerbuf__list_dir(const char *dir, struct peerbuf_function **list);

#endif /* LIBPEERBUF_INTERNAL_H */
