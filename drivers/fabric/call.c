// SPDX-License-Identifier: GPL-2.0-only
/*
 * What tests ask of a fabric beside its report: the kernel's own routing, how
 * often config space was read, and functions that go and come back.
 */
#include <linux/array_size.h>
#include <linux/pci-p2pdma.h>
#include <linux/pci.h>
#include <linux/uaccess.h>

#include "fabric.h"
#include "peerbuf_fabric.h"

static struct pci_dev *get_function(const struct peerbuf_function *function)
{
	return pci_get_domain_bus_and_slot(function->domain, function->bus,
					   function->devfn);
}

#ifdef CONFIG_PCI_P2PDMA
static int ask_distance(struct pci_dev *provider, struct pci_dev *importer)
{
	struct device *client = &importer->dev;

	return pci_p2pdma_distance_many(provider, &client, 1, false);
}

/* In the order in which the kernel lists functions, as PEERBUF_IOC_ROUTES. */
static int fill_distances(struct pci_dev *provider,
			  struct peerbuf_fabric_distance __user *user, u32 room,
			  u32 *nr)
{
	struct peerbuf_fabric_distance entry = {};
	struct pci_dev *importer = NULL;

	*nr = 0;
	for_each_pci_dev(importer) {
		entry.importer.domain = pci_domain_nr(importer->bus);
		entry.importer.bus = importer->bus->number;
		entry.importer.devfn = importer->devfn;
		if (*nr < room) {
			entry.distance = ask_distance(provider, importer);
			if (copy_to_user(&user[*nr], &entry, sizeof(entry))) {
				pci_dev_put(importer);
				return -EFAULT;
			}
		}
		(*nr)++;
		cond_resched();
	}

	return 0;
}
#else
static int fill_distances(struct pci_dev *provider,
			  struct peerbuf_fabric_distance __user *user, u32 room,
			  u32 *nr)
{
	return -EOPNOTSUPP;
}
#endif

static long call_distances(struct fabric *fabric, void __user *user)
{
	struct peerbuf_fabric_distances arg;
	struct pci_dev *provider;
	int ret;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;

	provider = get_function(&arg.provider);
	if (!provider)
		return -ENXIO;

	ret = fill_distances(provider, u64_to_user_ptr(arg.entries), arg.nr,
			     &arg.nr);
	pci_dev_put(provider);
	if (!ret && copy_to_user(user, &arg, sizeof(arg)))
		ret = -EFAULT;
	return ret;
}

static long call_reads(struct fabric *fabric, void __user *user)
{
	struct fabric_host *host;
	u64 reads = 0;

	list_for_each_entry(host, &fabric->hosts, node)
		reads += fabric_config_reads(host);

	return copy_to_user(user, &reads, sizeof(reads)) ? -EFAULT : 0;
}

static long call_presence(struct fabric *fabric, void __user *user)
{
	struct peerbuf_fabric_presence arg;
	struct fabric_function *function;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	arg.name[sizeof(arg.name) - 1] = '\0';
	function = fabric_find_name(fabric, arg.name);
	if (!function)
		return -ENOENT;

	fabric_config_set_presence(function, arg.present);
	return 0;
}

static const struct {
	unsigned int cmd;
	long (*answer)(struct fabric *fabric, void __user *user);
} calls[] = {
	{ PEERBUF_FABRIC_IOC_DISTANCES, call_distances },
	{ PEERBUF_FABRIC_IOC_READS, call_reads },
	{ PEERBUF_FABRIC_IOC_PRESENCE, call_presence },
};

/**
 * fabric_call() - answer an ioctl
 * @fabric: the file, locked
 * @cmd: the command
 * @user: address of its argument
 *
 * Return: 0 or a negative errno, as peerbuf_fabric.h says.
 */
long fabric_call(struct fabric *fabric, unsigned int cmd, void __user *user)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i].cmd == cmd)
			return fabric->state == FABRIC_BUILT ?
				       calls[i].answer(fabric, user) : -EINVAL;

	return -ENOTTY;
}
