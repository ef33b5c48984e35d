// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queries: what an attach would be told, for any two functions of the system,
 * bound to peerbuf or not, asked by anybody. Changes nothing.
 */
#include <linux/minmax.h>
#include <linux/pci.h>
#include <linux/peerbuf.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "query.h"
#include "topology.h"

/* Every bridge on the way has a bus number of its own below it. */
#define MAX_PORTS	256

/* Walks all functions of the system: the PCI core has no index of them. */
static struct pci_dev *find_function(const struct peerbuf_function *function)
{
	return pci_get_domain_bus_and_slot(function->domain, function->bus,
					   function->devfn);
}

/* No buffer is asked about, so the addresses are those of all memory BARs. */
static void add_addresses(struct pci_dev *provider, struct peerbuf_facts *facts)
{
	int bar;

	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		if (!(pci_resource_flags(provider, bar) & IORESOURCE_MEM) ||
		    !pci_resource_len(provider, bar))
			continue;
		facts->phys_last = max_t(u64, facts->phys_last,
					 pci_resource_end(provider, bar));
		facts->bus_offset = pci_bus_address(provider, bar) -
				    pci_resource_start(provider, bar);
	}
}

/* The facts of a provider, for one importer after the other. */
static int read_provider(struct pci_dev *provider, struct peerbuf_facts *facts)
{
	*facts = (struct peerbuf_facts) { .class = PEERBUF_CLASS_REVOCABLE };
	add_addresses(provider, facts);
	return peerbuf_topology_read_provider(provider, facts);
}

static int query_pair(struct pci_dev *provider, struct pci_dev *importer,
		      struct peerbuf_facts *facts,
		      struct peerbuf_verdict *verdict)
{
	int ret;

	ret = peerbuf_topology_read_importer(provider, &importer->dev, facts);
	if (!ret)
		peerbuf_route(facts, verdict);

	return ret;
}

static int query_one(struct pci_dev *provider, struct pci_dev *importer,
		     struct peerbuf_verdict *verdict)
{
	struct peerbuf_facts facts;
	int ret;

	ret = read_provider(provider, &facts);
	if (!ret)
		ret = query_pair(provider, importer, &facts, verdict);
	peerbuf_topology_free(&facts);

	return ret;
}

/**
 * peerbuf_query_route - PEERBUF_IOC_ROUTE: one provider, one importer
 * @call: the call
 *
 * Context: process, may sleep; no lock held.
 *
 * Return: 0 or a negative errno.
 */
int peerbuf_query_route(struct peerbuf_call *call)
{
	struct peerbuf_route_query *arg = call->arg;
	struct pci_dev *provider, *importer;
	int ret = -ENXIO;

	if (arg->flags)
		return -EOPNOTSUPP;
	if (arg->provider.reserved || arg->importer.reserved)
		return -EINVAL;

	provider = find_function(&arg->provider);
	importer = find_function(&arg->importer);
	if (provider && importer)
		ret = query_one(provider, importer, &arg->verdict);

	pci_dev_put(importer);
	pci_dev_put(provider);
	return ret;
}

static int answer_entry(struct pci_dev *provider, struct pci_dev *importer,
			struct peerbuf_facts *facts,
			struct peerbuf_route_entry __user *uentry)
{
	struct peerbuf_route_entry entry = {
		.importer = peerbuf_pci_function(importer),
	};
	int ret;

	ret = query_pair(provider, importer, facts, &entry.verdict);
	if (ret)
		return ret;

	return copy_to_user(uentry, &entry, sizeof(entry)) ? -EFAULT : 0;
}

/*
 * One walk over all functions, each an importer once: asking for them one by one
 * would walk them all for each. Those beyond @room are only counted.
 */
static int answer_all(struct pci_dev *provider, struct peerbuf_facts *facts,
		      struct peerbuf_route_entry __user *entries, u32 room,
		      u32 *nr)
{
	struct pci_dev *importer = NULL;
	int ret = 0;

	*nr = 0;
	for_each_pci_dev(importer) {
		if (*nr < room)
			ret = answer_entry(provider, importer, facts,
					   &entries[*nr]);
		if (!ret && fatal_signal_pending(current))
			ret = -EINTR;
		if (ret)
			break;
		(*nr)++;
		cond_resched();
	}

	pci_dev_put(importer);
	return ret;
}

/**
 * peerbuf_query_routes - PEERBUF_IOC_ROUTES: one provider, all importers
 * @call: the call
 *
 * Context: process, may sleep; no lock held.
 *
 * Return: 0 or a negative errno.
 */
int peerbuf_query_routes(struct peerbuf_call *call)
{
	struct peerbuf_routes_query *arg = call->arg;
	struct peerbuf_facts facts;
	struct pci_dev *provider;
	int ret;

	if (arg->flags)
		return -EOPNOTSUPP;
	if (arg->provider.reserved || arg->reserved)
		return -EINVAL;

	provider = find_function(&arg->provider);
	if (!provider)
		return -ENXIO;

	ret = read_provider(provider, &facts);
	if (!ret)
		ret = answer_all(provider, &facts, u64_to_user_ptr(arg->routes),
				 arg->nr_routes, &arg->nr_routes);
	peerbuf_topology_free(&facts);
	pci_dev_put(provider);
	return ret;
}

static int describe_path(struct pci_dev *pdev, struct peerbuf_path_query *arg)
{
	u32 room = min_t(u32, arg->nr_ports, MAX_PORTS);
	struct peerbuf_port_info *ports;
	int ret;

	ports = kcalloc(room, sizeof(*ports), GFP_KERNEL);
	if (!ports)
		return -ENOMEM;

	ret = peerbuf_topology_describe(pdev, ports, &room, &arg->host);
	arg->nr_ports = room;
	if (!ret && copy_to_user(u64_to_user_ptr(arg->ports), ports,
				 room * sizeof(*ports)))
		ret = -EFAULT;

	kfree(ports);
	return ret;
}

/**
 * peerbuf_query_path - PEERBUF_IOC_PATH: the way from a function to its root
 * @call: the call
 *
 * Context: process, may sleep; no lock held.
 *
 * Return: 0 or a negative errno.
 */
int peerbuf_query_path(struct peerbuf_call *call)
{
	struct peerbuf_path_query *arg = call->arg;
	struct pci_dev *pdev;
	int ret;

	if (arg->flags)
		return -EOPNOTSUPP;
	if (arg->function.reserved || arg->reserved)
		return -EINVAL;
	if (!arg->nr_ports)
		return -ENOSPC;

	pdev = find_function(&arg->function);
	if (!pdev)
		return -ENXIO;

	ret = describe_path(pdev, arg);
	pci_dev_put(pdev);
	return ret;
}
