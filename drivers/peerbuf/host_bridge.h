/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PEERBUF_HOST_BRIDGE_H
#define _PEERBUF_HOST_BRIDGE_H

#include <linux/types.h>

struct pci_dev;

bool peerbuf_host_bridge_trusted(struct pci_dev *provider,
				 struct pci_dev *importer,
				 struct pci_dev **blocker);

#endif /* _PEERBUF_HOST_BRIDGE_H */
