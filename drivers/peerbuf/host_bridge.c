// SPDX-License-Identifier: GPL-2.0-only
/*
 * Host bridges that are known to forward peer-to-peer requests, for kernels
 * that do not answer that themselves (CONFIG_PCI_P2PDMA=n, as Debian 12 and 13
 * ship). PCIe does not oblige a root complex to forward them (PCIe 6.0, 1.3.1),
 * so the answer is experience: the ids are those of drivers/pci/p2pdma.c in 7.3.
 */
#include <linux/array_size.h>
#include <linux/mod_devicetable.h>
#include <linux/pci.h>
#ifdef CONFIG_X86
#include <asm/processor.h>
#endif

#include "host_bridge.h"

struct trusted_bridge {
	u16 vendor;
	u16 first;
	u16 last;
	/* requests that stay below one bridge are forwarded, others are not */
	bool same_bridge_only;
};

static const struct trusted_bridge trusted_bridges[] = {
	/* Xeon E5, Core i7 */
	{ PCI_VENDOR_ID_INTEL, 0x3c00, 0x3c01, true },
	/* Xeon E5 v3, Xeon E7 v3, Core i7 */
	{ PCI_VENDOR_ID_INTEL, 0x2f00, 0x2f01, true },
	/* Skylake-E and later Xeon */
	{ PCI_VENDOR_ID_INTEL, 0x2030, 0x2033, false },
	{ PCI_VENDOR_ID_INTEL, 0x2020, 0x2020, false },
	{ PCI_VENDOR_ID_INTEL, 0x09a2, 0x09a2, false },
	/* Xeon accelerators that sit on a root bus: DSA, IAX, QAT */
	{ PCI_VENDOR_ID_INTEL, 0x0b25, 0x0b25, false },
	{ PCI_VENDOR_ID_INTEL, 0x0cfe, 0x0cfe, false },
	{ PCI_VENDOR_ID_INTEL, 0x11fb, 0x11fb, false },
	{ PCI_VENDOR_ID_INTEL, 0x1212, 0x1212, false },
	{ PCI_VENDOR_ID_INTEL, 0x1216, 0x1216, false },
	{ PCI_VENDOR_ID_INTEL, 0x4940, 0x4940, false },
	{ PCI_VENDOR_ID_INTEL, 0x4942, 0x4942, false },
	{ PCI_VENDOR_ID_INTEL, 0x4944, 0x4944, false },
	{ PCI_VENDOR_ID_INTEL, 0x4946, 0x4946, false },
	{ PCI_VENDOR_ID_INTEL, 0x4948, 0x4948, false },
	/* Google SoCs */
	{ 0x1ae0, 0x0000, 0xffff, false },
	/* Nvidia CPUs */
	{ PCI_VENDOR_ID_NVIDIA, 0x2f95, 0x2f98, false },
};

/* Every AMD core from Zen on forwards (drivers/pci/p2pdma.c). */
static bool cpu_trusted(void)
{
#ifdef CONFIG_X86
	return boot_cpu_data.x86_vendor == X86_VENDOR_AMD &&
	       boot_cpu_data.x86 >= 0x17;
#else
	return false;
#endif
}

/*
 * The function that stands for a host bridge: device 0 of the root bus, or a
 * root port where that comes first. A device below holds the bus and its head.
 */
static struct pci_dev *bridge_function(struct pci_host_bridge *host)
{
	struct pci_dev *first;

	first = list_first_entry_or_null(&host->bus->devices, struct pci_dev,
					 bus_list);
	if (!first)
		return NULL;

	if (first->devfn == PCI_DEVFN(0, 0) ||
	    pci_pcie_type(first) == PCI_EXP_TYPE_ROOT_PORT)
		return first;

	return NULL;
}

static bool listed(const struct pci_dev *function, bool same_bridge)
{
	const struct trusted_bridge *entry;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(trusted_bridges); i++) {
		entry = &trusted_bridges[i];
		if (function->vendor == entry->vendor &&
		    function->device >= entry->first &&
		    function->device <= entry->last)
			return same_bridge || !entry->same_bridge_only;
	}

	return false;
}

/**
 * peerbuf_host_bridge_trusted - do the host bridges between two devices forward
 * @provider: one device
 * @importer: the other
 * @blocker: set to the function that stands for the first bridge that does not,
 *	where there is one; no reference is taken
 *
 * Context: process. The caller holds references to both devices.
 *
 * Return: true if requests that reach the root complex come down again.
 */
bool peerbuf_host_bridge_trusted(struct pci_dev *provider,
				 struct pci_dev *importer,
				 struct pci_dev **blocker)
{
	struct pci_host_bridge *hosts[] = {
		pci_find_host_bridge(provider->bus),
		pci_find_host_bridge(importer->bus),
	};
	bool same_bridge = hosts[0] == hosts[1];
	struct pci_dev *function;
	bool trusted = true;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hosts) && trusted; i++) {
		function = bridge_function(hosts[i]);
		trusted = function && listed(function, same_bridge);
		if (!trusted)
			*blocker = function;
	}

	return trusted || cpu_trusted();
}
