/* SPDX-License-Identifier: MIT */
/* Stands in for the kernel's header, as far as the table of cases needs it. */
#ifndef ENGINE_LINUX_BITS_H
#define ENGINE_LINUX_BITS_H

#define BIT(nr)		(1UL << (nr))
#define BIT_ULL(nr)	(1ULL << (nr))

#endif /* ENGINE_LINUX_BITS_H */
