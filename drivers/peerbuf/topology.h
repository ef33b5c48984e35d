/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PEERBUF_TOPOLOGY_H
#define _PEERBUF_TOPOLOGY_H

#include <linux/types.h>

#include "route.h"

struct device;
struct pci_dev;

int peerbuf_topology_read_provider(struct pci_dev *provider,
				   struct peerbuf_facts *facts);
int peerbuf_topology_read_importer(struct pci_dev *provider,
				   struct device *importer,
				   struct peerbuf_facts *facts);
int peerbuf_topology_read(struct pci_dev *provider, struct device *importer,
			  struct peerbuf_facts *facts);
int peerbuf_topology_describe(struct pci_dev *pdev,
			      struct peerbuf_port_info *ports, u32 *nr,
			      struct peerbuf_port_info *host);
void peerbuf_topology_free(struct peerbuf_facts *facts);
struct peerbuf_function peerbuf_pci_function(struct pci_dev *pdev);

#endif /* _PEERBUF_TOPOLOGY_H */
