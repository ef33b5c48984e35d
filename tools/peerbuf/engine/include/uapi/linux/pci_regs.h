/* SPDX-License-Identifier: MIT */
/* Stands in for the kernel's path to the header that user space has too. */
#include <linux/pci_regs.h>

/* not in the headers of every distribution */
#ifndef PCI_ACS_DT
#define PCI_ACS_DT	0x40
#endif
