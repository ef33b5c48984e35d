// SPDX-License-Identifier: GPL-2.0-only
/*
 * Host bridges: handing the described functions to the PCI core, and taking
 * them back. x86 only: sysdata is the architecture's.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/pci.h>
#include <linux/rcupdate.h>

#include "fabric.h"

/* Numbers belong to VMD, Hyper-V, or us; and the rest to the firmware. */
static int reserve_domain(struct fabric *fabric, struct fabric_host *host)
{
	struct fabric_host *other;
	struct pci_bus *bus = NULL;

	list_for_each_entry(other, &fabric->hosts, node)
		if (other->domain == host->domain && other->domain_reserved)
			return 0;

	while ((bus = pci_find_next_bus(bus)))
		if (pci_domain_nr(bus) == host->domain)
			break;
	if (bus || pci_bus_find_emul_domain_nr(host->domain, host->domain,
					       host->domain) < 0)
		return fabric_fail(fabric, host->line, -EBUSY,
				   "domain %04x exists: take another",
				   host->domain);

	host->domain_reserved = true;
	return 0;
}

static struct pci_dev *get_pdev(const struct fabric_function *function)
{
	return pci_get_domain_bus_and_slot(function->host->domain,
					   function->bus, function->devfn);
}

static int find_above(struct fabric *fabric, struct fabric_host *host)
{
	if (!host->above)
		return 0;

	host->above_pdev = get_pdev(host->above);
	if (!host->above_pdev)
		return fabric_fail(fabric, host->line, -ENODEV,
				   "'%s' is not there any more",
				   host->above->name);
	return 0;
}

static void set_sysdata(struct fabric_host *host)
{
	host->sysdata.domain = host->domain;
	host->sysdata.node = NUMA_NO_NODE;
#if IS_ENABLED(CONFIG_VMD)
	host->sysdata.vmd_dev = host->above_pdev;
#endif
}

/*
 * The PCI core has let go of the last device, bus and the bridge itself: from
 * here on nobody can call config space operations.
 */
static void release_host(struct pci_host_bridge *bridge)
{
	struct fabric_host *host = bridge->release_data;

	pci_dev_put(host->above_pdev);
	fabric_free_host(host);
	module_put(THIS_MODULE);
}

static void add_windows(struct fabric_host *host)
{
	struct list_head *list = &host->bridge->windows;
	unsigned int i;

	host->busn = (struct resource) {
		.name = "peerbuf-fabric",
		.start = host->bus_first,
		.end = host->bus_last,
		.flags = IORESOURCE_BUS,
	};
	pci_add_resource(list, &host->busn);
	for (i = 0; i < host->nr_windows; i++)
		pci_add_resource_offset(list, &host->windows[i].res,
					host->windows[i].offset);
}

/* No native services: our ports have no interrupts that could report a thing. */
static int alloc_bridge(struct fabric_host *host)
{
	struct pci_host_bridge *bridge = pci_alloc_host_bridge(0);

	if (!bridge)
		return -ENOMEM;

	host->bridge = bridge;
	bridge->sysdata = &host->sysdata;
	bridge->ops = &fabric_config_ops;
	bridge->busnr = host->bus_first;
	bridge->native_aer = 0;
	bridge->native_pcie_hotplug = 0;
	bridge->native_shpc_hotplug = 0;
	bridge->native_pme = 0;
	bridge->native_ltr = 0;
	bridge->native_dpc = 0;
	if (host->above_pdev)
		bridge->dev.parent = &host->above_pdev->dev;
	add_windows(host);

	__module_get(THIS_MODULE);
	pci_set_host_bridge_release(bridge, release_host, host);
	return 0;
}

static int check_function(struct fabric *fabric,
			  struct fabric_function *function)
{
	struct pci_dev *pdev = get_pdev(function);
	int nr, ret = 0;

	if (!pdev)
		return fabric_fail(fabric, function->line, -EIO,
				   "the kernel did not find function %02x.%d of bus %02x",
				   PCI_SLOT(function->devfn),
				   PCI_FUNC(function->devfn), function->bus);

	for (nr = 0; nr < PCI_STD_NUM_BARS && !ret; nr++)
		if (function->bars[nr].size && !pdev->resource[nr].parent)
			ret = fabric_fail(fabric, function->line, -ENOSPC,
					  "no room for BAR %d: it needs a larger window%s",
					  nr, function->bars[nr].prefetch ? "" :
					  ", below 4G on the bus as it is not prefetchable");

	pci_dev_put(pdev);
	return ret;
}

static int check_functions(struct fabric *fabric, struct fabric_host *host)
{
	struct fabric_function *function;
	int ret = 0;

	for (function = fabric_next_function(host, NULL); function && !ret;
	     function = fabric_next_function(host, function))
		ret = check_function(fabric, function);

	return ret;
}

/* Nothing is visible to drivers before everything has its place. */
static int scan_host(struct fabric *fabric, struct fabric_host *host)
{
	int ret;

	ret = pci_scan_root_bus_bridge(host->bridge);
	if (ret) {
		host->bridge->bus = NULL;
		return fabric_fail(fabric, host->line, ret,
				   "the kernel refused the bridge: error %d",
				   ret);
	}

	pci_bus_size_bridges(host->bridge->bus);
	pci_bus_assign_resources(host->bridge->bus);
	ret = check_functions(fabric, host);
	if (!ret)
		pci_bus_add_devices(host->bridge->bus);

	return ret;
}

static int build_host(struct fabric *fabric, struct fabric_host *host)
{
	struct fabric_function *function;
	int ret;

	ret = reserve_domain(fabric, host);
	if (!ret)
		ret = find_above(fabric, host);
	if (!ret)
		ret = fabric_request_windows(fabric, host);
	if (ret)
		return ret;

	for (function = fabric_next_function(host, NULL); function;
	     function = fabric_next_function(host, function))
		fabric_config_init(function);
	set_sysdata(host);

	if (alloc_bridge(host))
		return fabric_fail(fabric, host->line, -ENOMEM,
				   "out of memory");
	pci_lock_rescan_remove();
	ret = scan_host(fabric, host);
	pci_unlock_rescan_remove();
	return ret;
}

/**
 * fabric_build() - make the PCI devices
 * @fabric: the file, with a complete tree
 *
 * Return: 0 or a negative errno, with a message. Undo with fabric_remove(), also
 * after an error.
 */
int fabric_build(struct fabric *fabric)
{
	struct fabric_host *host;
	int ret = 0;

	list_for_each_entry(host, &fabric->hosts, node) {
		ret = build_host(fabric, host);
		if (ret)
			break;
	}

	return ret;
}

static void stop_bridge(struct pci_host_bridge *bridge)
{
	if (!bridge || !bridge->bus)
		return;

	pci_lock_rescan_remove();
	pci_stop_root_bus(bridge->bus);
	pci_remove_root_bus(bridge->bus);
	pci_unlock_rescan_remove();
}

static void remove_host(struct fabric_host *host)
{
	struct pci_host_bridge *bridge = host->bridge;

	list_del(&host->node);
	stop_bridge(bridge);
	fabric_release_windows(host);
	if (host->domain_reserved)
		pci_bus_release_emul_domain_nr(host->domain);

	/* Whoever holds a removed device still holds the host, and this module */
	if (bridge) {
		pci_free_host_bridge(bridge);
		return;
	}
	pci_dev_put(host->above_pdev);
	fabric_free_host(host);
}

/**
 * fabric_remove() - remove the PCI devices, and free the tree
 * @fabric: the file
 *
 * Those that come later in the description may be children of earlier ones.
 *
 * Context: process. Waits for drivers that are bound.
 */
void fabric_remove(struct fabric *fabric)
{
	struct fabric_host *host, *next;

	list_for_each_entry_safe_reverse(host, next, &fabric->hosts, node)
		remove_host(host);
}

static struct fabric_function *function_of(struct pci_dev *pdev)
{
	struct fabric_host *host = fabric_host_of(pdev->bus);

	if (!host)
		return NULL;

	guard(raw_spinlock_irqsave)(&host->lock);
	return fabric_config_find(host, pdev->bus->number, pdev->devfn);
}

/*
 * Where there is an IOMMU, the kernel switches ACS on, when a driver binds
 * (pci_dma_configure()); ports have one at once. As described is as described.
 */
static void restore_acs(struct pci_dev *pdev,
			const struct fabric_function *function)
{
	if (pdev->acs_cap)
		pci_write_config_word(pdev, pdev->acs_cap + PCI_ACS_CTRL,
				      function->acs_ctrl);
}

/*
 * A new function, and one that comes back by a rescan: with a DMA mask although
 * no driver asks, and with no driver but that of driver_override, as there are
 * no registers behind its BARs.
 */
static void dress_function(struct pci_dev *pdev,
			   const struct fabric_function *function)
{
	if (dma_set_mask_and_coherent(&pdev->dev,
				      DMA_BIT_MASK(function->mask_bits)))
		pci_warn(pdev, "no DMA mask of %d bits on this machine\n",
			 function->mask_bits);
	if (fabric_is_port(function))
		return;
	if (device_set_driver_override(&pdev->dev, KBUILD_MODNAME))
		pci_warn(pdev, "no memory: any driver may bind\n");
}

static int notify_bus(struct notifier_block *block, unsigned long action,
		      void *data)
{
	struct pci_dev *pdev = to_pci_dev(data);
	struct fabric_function *function = function_of(pdev);

	if (!function)
		return NOTIFY_DONE;

	switch (action) {
	case BUS_NOTIFY_ADD_DEVICE:
		dress_function(pdev, function);
		return NOTIFY_OK;
	case BUS_NOTIFY_BIND_DRIVER:
		restore_acs(pdev, function);
		return NOTIFY_OK;
	default:
		return NOTIFY_DONE;
	}
}

static struct notifier_block bus_notifier = {
	.notifier_call = notify_bus,
};

/**
 * fabric_host_init() - once, before the first fabric
 *
 * Return: 0 or a negative errno.
 */
int fabric_host_init(void)
{
	return bus_register_notifier(&pci_bus_type, &bus_notifier);
}

/**
 * fabric_host_exit() - once, after the last fabric
 *
 * Every host bridge holds the module, so all are released; but who released the
 * last may not have returned from release_host() yet.
 */
void fabric_host_exit(void)
{
	bus_unregister_notifier(&pci_bus_type, &bus_notifier);
	synchronize_rcu_tasks();
}
