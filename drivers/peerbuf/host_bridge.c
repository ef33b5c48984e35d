// SPDX-License-Identifier: GPL-2.0-only
/*
 * Host bridges that are known to forward peer-to-peer requests: the kernel's own
 * word where it has one, else our list (CONFIG_PCI_P2PDMA=n, as Debian 12 and 13
 * ship). PCIe does not oblige a root complex to forward them (PCIe 6.0, 1.3.1),
 * so the answer is experience. The administrator may add to it, at his own risk.
 */
#include <linux/array_size.h>
#include <linux/module.h>
#include <linux/pci-p2pdma.h>
#include <linux/pci.h>
#include <linux/string.h>
#ifdef CONFIG_X86
#include <asm/processor.h>
#endif

#include "host_bridge.h"
#include "host_bridge_ids.h"

#define MAX_ADDED	16

static struct {
	u16 vendor;
	u16 device;
} added_bridges[MAX_ADDED];
static int nr_added_bridges;

static int add_bridge(const char *text)
{
	unsigned int vendor, device;
	char end;

	if (sscanf(text, "%4x:%4x%c", &vendor, &device, &end) != 2)
		return -EINVAL;
	if (nr_added_bridges == MAX_ADDED)
		return -ENOSPC;

	added_bridges[nr_added_bridges].vendor = vendor;
	added_bridges[nr_added_bridges].device = device;
	nr_added_bridges++;
	return 0;
}

/* Only at load time, so that nobody reads the list while it changes. */
static int set_trusted_bridges(const char *value,
			       const struct kernel_param *param)
{
	char *list, *rest, *text;
	int ret = 0;

	rest = kstrdup(value, GFP_KERNEL);
	if (!rest)
		return -ENOMEM;

	for (list = rest; !ret && (text = strsep(&rest, ","));)
		ret = add_bridge(strim(text));
	if (ret)
		pr_err("trusted_bridges: '%s' is not a list of at most %d vendor:device pairs in hexadecimal\n",
		       value, MAX_ADDED);

	kfree(list);
	return ret;
}

static int get_trusted_bridges(char *buffer, const struct kernel_param *param)
{
	int i, at = 0;

	for (i = 0; i < nr_added_bridges; i++)
		at += sysfs_emit_at(buffer, at, "%s%04x:%04x", i ? "," : "",
				    added_bridges[i].vendor,
				    added_bridges[i].device);

	return at + sysfs_emit_at(buffer, at, "\n");
}

static const struct kernel_param_ops trusted_bridges_ops = {
	.set = set_trusted_bridges,
	.get = get_trusted_bridges,
};

module_param_cb(trusted_bridges, &trusted_bridges_ops, NULL, 0444);
MODULE_PARM_DESC(trusted_bridges, "host bridges to trust as well, vendor:device[,...] in hexadecimal; wrong ones lose data silently");

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
	const struct peerbuf_trusted_bridge *entry;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(peerbuf_trusted_bridges); i++) {
		entry = &peerbuf_trusted_bridges[i];
		if (function->vendor == entry->vendor &&
		    function->device >= entry->first &&
		    function->device <= entry->last)
			return same_bridge || !entry->same_bridge_only;
	}

	return false;
}

static bool added(const struct pci_dev *function)
{
	int i;

	for (i = 0; i < nr_added_bridges; i++)
		if (function->vendor == added_bridges[i].vendor &&
		    function->device == added_bridges[i].device)
			return true;

	return false;
}

static struct pci_dev *root_function(struct pci_dev *pdev)
{
	struct pci_dev *bridge;

	while ((bridge = pci_upstream_bridge(pdev)))
		pdev = bridge;

	return pdev;
}

static int is_other_function(struct device *dev, const void *function)
{
	return dev_is_pci(dev) && to_pci_dev(dev) != function;
}

/* Another function of the same root bus, with a reference, or NULL. */
static struct pci_dev *root_sibling(struct pci_dev *root)
{
	struct device *dev;

	dev = device_find_child(root->dev.parent, root, is_other_function);
	return dev ? to_pci_dev(dev) : NULL;
}

static bool kernel_routes(struct pci_dev *a, struct pci_dev *b)
{
	return pci_p2pdma_distance(a, &b->dev, false) >= 0;
}

/*
 * The kernel has no word for host bridges, only for pairs of functions. Two on
 * root buses have no bridge in common, so whether these reach each other says it
 * of the host bridges above. (Of the pair itself, the answer could be about a
 * common switch; or be logged, see compare_kernel() in topology.c.) Returns 1, 0,
 * or -1 where there is nobody to ask, or about.
 */
static int ask_kernel(struct pci_dev *provider, struct pci_dev *importer)
{
	struct pci_dev *a = root_function(provider);
	struct pci_dev *b = root_function(importer);
	int ret = -1;

	if (!IS_ENABLED(CONFIG_PCI_P2PDMA))
		return -1;
	if (a != b)
		return kernel_routes(a, b);

	b = root_sibling(a);
	if (b)
		ret = kernel_routes(a, b);
	pci_dev_put(b);
	return ret;
}

/* An AMD CPU vouches for all of its bridges, a list for single ones. */
static bool known(struct pci_dev *provider, struct pci_dev *importer,
		  struct pci_dev *functions[2])
{
	bool same_bridge = functions[0] == functions[1];
	int kernel = ask_kernel(provider, importer);

	/* its list is newer than ours can be */
	if (kernel >= 0)
		return kernel;

	return cpu_trusted() ||
	       (functions[0] && listed(functions[0], same_bridge) &&
		functions[1] && listed(functions[1], same_bridge));
}

/**
 * peerbuf_host_bridge_function - the function that stands for a host bridge
 * @pdev: a device below it, which the caller has a reference to
 *
 * Context: process.
 *
 * Return: device 0 of the root bus or a root port, without a reference, or NULL.
 */
struct pci_dev *peerbuf_host_bridge_function(struct pci_dev *pdev)
{
	return bridge_function(pci_find_host_bridge(pdev->bus));
}

/**
 * peerbuf_host_bridge_trust - do the host bridges between two devices forward
 * @provider: one device
 * @importer: the other
 * @blocker: set to the function that stands for the first bridge that does not,
 *	where there is one; no reference is taken
 *
 * Context: process. The caller holds references to both devices.
 *
 * Return: whether, and on whose word, requests that reach the root complex come
 * down again.
 */
enum peerbuf_trust peerbuf_host_bridge_trust(struct pci_dev *provider,
					     struct pci_dev *importer,
					     struct pci_dev **blocker)
{
	struct pci_dev *functions[] = {
		peerbuf_host_bridge_function(provider),
		peerbuf_host_bridge_function(importer),
	};
	bool same_bridge = functions[0] == functions[1];
	bool admin = false;
	size_t i;

	if (known(provider, importer, functions))
		return PEERBUF_TRUST_KNOWN;

	for (i = 0; i < ARRAY_SIZE(functions); i++) {
		if (functions[i] && added(functions[i])) {
			admin = true;
		} else if (!functions[i] || !listed(functions[i], same_bridge)) {
			*blocker = functions[i];
			return PEERBUF_TRUST_NONE;
		}
	}

	return admin ? PEERBUF_TRUST_ADMIN : PEERBUF_TRUST_NONE;
}
