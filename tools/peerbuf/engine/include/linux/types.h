/* SPDX-License-Identifier: MIT */
/* Stands in for the kernel's header: its short names for user space's types. */
#ifndef ENGINE_LINUX_TYPES_H
#define ENGINE_LINUX_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include_next <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;

#endif /* ENGINE_LINUX_TYPES_H */
