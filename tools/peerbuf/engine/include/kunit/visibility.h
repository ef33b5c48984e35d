/* SPDX-License-Identifier: MIT */
/* Stands in for the kernel's header: nothing is exported in user space (Makefile). */
#ifndef ENGINE_KUNIT_VISIBILITY_H
#define ENGINE_KUNIT_VISIBILITY_H
#endif /* ENGINE_KUNIT_VISIBILITY_H */
