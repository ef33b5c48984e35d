// SPDX-License-Identifier: GPL-2.0-only
/*
 * Topology: read from the PCI core and from config space what routing wants to
 * know. The only file that reads config space for routing; it runs at attach
 * and for queries, never at map or unmap.
 */
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/pci-p2pdma.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "host_bridge.h"
#include "topology.h"

/**
 * peerbuf_pci_function - the address of a PCI device, as the UAPI writes it
 * @pdev: the device
 *
 * Context: any.
 *
 * Return: domain, bus, device and function.
 */
struct peerbuf_function peerbuf_pci_function(struct pci_dev *pdev)
{
	return (struct peerbuf_function) {
		.domain = pci_domain_nr(pdev->bus),
		.bus = pdev->bus->number,
		.devfn = pdev->devfn,
	};
}

/* A port that does not answer counts as redirecting: the safe assumption. */
static u16 read_acs_ctrl(struct pci_dev *pdev)
{
	u16 ctrl = 0;

	if (pdev->acs_cap)
		pci_read_config_word(pdev, pdev->acs_cap + PCI_ACS_CTRL, &ctrl);

	return ctrl;
}

static struct peerbuf_port read_port(struct pci_dev *pdev)
{
	return (struct peerbuf_port) {
		.function = peerbuf_pci_function(pdev),
		.vendor = pdev->vendor,
		.device = pdev->device,
		.acs_ctrl = read_acs_ctrl(pdev),
	};
}

/* A child holds its bridge, so the caller's reference to @pdev keeps them all. */
static int read_path(struct pci_dev *pdev, struct peerbuf_path *path)
{
	struct pci_dev *bridge;
	unsigned int nr = 0;

	for (bridge = pdev; bridge; bridge = pci_upstream_bridge(bridge))
		nr++;

	path->ports = kcalloc(nr, sizeof(*path->ports), GFP_KERNEL);
	if (!path->ports)
		return -ENOMEM;

	for (bridge = pdev; bridge && path->nr < nr;
	     bridge = pci_upstream_bridge(bridge))
		path->ports[path->nr++] = read_port(bridge);

	return 0;
}

static void free_path(struct peerbuf_path *path)
{
	kfree(path->ports);
	*path = (struct peerbuf_path) {};
}

/* A USB or platform device routes as the PCI function that it hangs below. */
static struct pci_dev *nearest_pci(struct device *dev)
{
	for (; dev; dev = dev->parent)
		if (dev_is_pci(dev))
			return to_pci_dev(dev);

	return NULL;
}

static bool translates(struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	return domain && domain->type & __IOMMU_DOMAIN_PAGING;
}

/* No driver, no mask yet; assume that one would ask for all 64 bits. */
static u64 dma_reach(struct device *importer)
{
	if (!importer->driver)
		return DMA_BIT_MASK(64);

	return min_not_zero(dma_get_mask(importer), importer->bus_dma_limit);
}

/* Is it a port's redirect that makes the path cross host bridges? */
static bool redirected(const struct peerbuf_facts *facts)
{
	struct peerbuf_facts untrusted = *facts;
	struct peerbuf_verdict verdict;

	untrusted.host_trusted = false;
	peerbuf_route(&untrusted, &verdict);
	return verdict.reason == PEERBUF_REASON_ACS_REDIRECT;
}

/*
 * The kernel's opinion on the pair, for comparison. With a redirect on the way
 * and host bridges that it does not trust it says no, and even when asked to be
 * quiet logs a line; then what it said of the bridges has to do, or any user
 * could fill the log.
 */
static void compare_kernel(struct pci_dev *provider, struct pci_dev *importer,
			   enum peerbuf_trust trust,
			   struct peerbuf_facts *facts)
{
	facts->kernel_asked = IS_ENABLED(CONFIG_PCI_P2PDMA);
	facts->kernel_reachable = false;
	if (facts->kernel_asked &&
	    (trust == PEERBUF_TRUST_KNOWN || !redirected(facts)))
		facts->kernel_reachable =
			pci_p2pdma_distance(provider, &importer->dev, false) >= 0;
}

static void read_trust(struct pci_dev *provider, struct pci_dev *importer,
		       struct peerbuf_facts *facts)
{
	struct pci_dev *blocker = NULL;
	enum peerbuf_trust trust;

	trust = peerbuf_host_bridge_trust(provider, importer, &blocker);
	facts->host_trusted = trust != PEERBUF_TRUST_NONE;
	facts->host_admin = trust == PEERBUF_TRUST_ADMIN;
	if (blocker)
		facts->host = read_port(blocker);

	compare_kernel(provider, importer, trust, facts);
}

/**
 * peerbuf_topology_read_provider - gather the facts about a provider
 * @provider: the function whose memory is to be reached
 * @facts: zeroed by the caller, who adds what concerns the buffer: class,
 *	policy, addresses. Free with peerbuf_topology_free(), also after an error.
 *
 * Context: process, may sleep. The caller holds a reference to the device.
 *
 * Return: 0 or -ENOMEM.
 */
int peerbuf_topology_read_provider(struct pci_dev *provider,
				   struct peerbuf_facts *facts)
{
	return read_path(provider, &facts->provider);
}

/**
 * peerbuf_topology_read_importer - gather the facts about an importer
 * @provider: the function whose memory is to be reached
 * @importer: the device that does the DMA; anything, not just PCI
 * @facts: with those about @provider. What is there about another importer is
 *	replaced.
 *
 * Context: process, may sleep. The caller holds references to both devices.
 *
 * Return: 0 or -ENOMEM.
 */
int peerbuf_topology_read_importer(struct pci_dev *provider,
				   struct device *importer,
				   struct peerbuf_facts *facts)
{
	struct pci_dev *importer_pci = nearest_pci(importer);
	int ret;

	free_path(&facts->importer);
	facts->host = (struct peerbuf_port) {};
	facts->dma_mask = dma_reach(importer);
	facts->iommu = translates(importer);
	if (!importer_pci)
		return 0;

	ret = read_path(importer_pci, &facts->importer);
	if (ret)
		return ret;

	read_trust(provider, importer_pci, facts);
	return 0;
}

/**
 * peerbuf_topology_read - gather the facts about a pair of devices
 * @provider: as for peerbuf_topology_read_provider()
 * @importer: as for peerbuf_topology_read_importer()
 * @facts: as for peerbuf_topology_read_provider()
 *
 * Context: process, may sleep. The caller holds references to both devices.
 *
 * Return: 0 or -ENOMEM.
 */
int peerbuf_topology_read(struct pci_dev *provider, struct device *importer,
			  struct peerbuf_facts *facts)
{
	return peerbuf_topology_read_provider(provider, facts) ?:
	       peerbuf_topology_read_importer(provider, importer, facts);
}

/**
 * peerbuf_topology_free - free what the reading functions allocated
 * @facts: the facts, which may be zero
 *
 * Context: any.
 */
void peerbuf_topology_free(struct peerbuf_facts *facts)
{
	free_path(&facts->provider);
	free_path(&facts->importer);
}

static struct peerbuf_port_info describe_port(struct pci_dev *pdev)
{
	struct peerbuf_port_info info = {
		.function = peerbuf_pci_function(pdev),
		.vendor = pdev->vendor,
		.device = pdev->device,
		.type = pci_is_pcie(pdev) ? pci_pcie_type(pdev) : 0xff,
		.acs_ctrl = read_acs_ctrl(pdev),
	};

	if (pdev->acs_cap) {
		info.flags |= PEERBUF_PORT_ACS;
		pci_read_config_word(pdev, pdev->acs_cap + PCI_ACS_CAP,
				     &info.acs_cap);
	}

	return info;
}

/**
 * peerbuf_topology_describe - the way from a function to its root, for people
 * @pdev: the function
 * @ports: room for @nr entries; the function itself comes first
 * @nr: in: room; out: entries
 * @host: set to the function that stands for the host bridge, or zeroed
 *
 * Context: process, may sleep. The caller holds a reference to @pdev.
 *
 * Return: 0, or -ENOSPC if the way is longer.
 */
int peerbuf_topology_describe(struct pci_dev *pdev,
			      struct peerbuf_port_info *ports, u32 *nr,
			      struct peerbuf_port_info *host)
{
	struct pci_dev *bridge, *root = peerbuf_host_bridge_function(pdev);
	u32 room = *nr;

	*nr = 0;
	for (bridge = pdev; bridge; bridge = pci_upstream_bridge(bridge)) {
		if (*nr == room)
			return -ENOSPC;
		ports[(*nr)++] = describe_port(bridge);
	}

	memset(host, 0, sizeof(*host));
	if (root)
		*host = describe_port(root);
	return 0;
}
