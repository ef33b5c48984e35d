/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PEERBUF_HOST_BRIDGE_H
#define _PEERBUF_HOST_BRIDGE_H

struct pci_dev;

/**
 * enum peerbuf_trust - why peer requests may cross host bridges
 * @PEERBUF_TRUST_NONE: they may not
 * @PEERBUF_TRUST_KNOWN: the kernel's list, or ours, has them
 * @PEERBUF_TRUST_ADMIN: the administrator added one
 */
enum peerbuf_trust {
	PEERBUF_TRUST_NONE,
	PEERBUF_TRUST_KNOWN,
	PEERBUF_TRUST_ADMIN,
};

struct pci_dev *peerbuf_host_bridge_function(struct pci_dev *pdev);
enum peerbuf_trust peerbuf_host_bridge_trust(struct pci_dev *provider,
					     struct pci_dev *importer,
					     struct pci_dev **blocker);

#endif /* _PEERBUF_HOST_BRIDGE_H */
