/* SPDX-License-Identifier: MIT */
/* Stands in for the kernel's header: nothing is exported in user space (Makefile). */
#ifndef ENGINE_LINUX_EXPORT_H
#define ENGINE_LINUX_EXPORT_H
#endif /* ENGINE_LINUX_EXPORT_H */
