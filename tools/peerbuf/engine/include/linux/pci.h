/* SPDX-License-Identifier: MIT */
/* Stands in for the kernel's headers, as far as the table of cases needs them. */
#ifndef ENGINE_LINUX_PCI_H
#define ENGINE_LINUX_PCI_H

#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/types.h>

#define PCI_DEVFN(slot, func)	((((slot) & 0x1f) << 3) | ((func) & 0x07))

#define SZ_4K		0x1000
#define SZ_256M		0x10000000
#define SZ_4G		0x100000000ULL
#define U32_MAX		((u32)~0U)
#define U64_MAX		((u64)~0ULL)

#endif /* ENGINE_LINUX_PCI_H */
