// SPDX-License-Identifier: MIT
/*
 * Routing in user space: the facts of a machine, handed to the kernel's own
 * drivers/peerbuf/route.c and judged by the kernel's own list of host bridges.
 */
#include "../../../drivers/peerbuf/host_bridge_ids.h"
#include "../../../drivers/peerbuf/route.h"
#include "../machine.h"

/* A device of one function has nothing to redirect (PCIe 6.0, 6.12.1.3). */
static bool may_redirect(const struct pci_function *function)
{
	return !function->acs_known && (function->bridge || function->multi);
}

static struct peerbuf_port make_port(const struct pci_function *function,
				     const struct assumption *assumption)
{
	struct peerbuf_port port = {
		.function = function->address,
		.vendor = function->vendor,
		.device = function->device,
		.acs_ctrl = may_redirect(function) ? assumption->unknown_acs :
						     function->acs_ctrl,
	};

	if (assumption->no_redirect)
		port.acs_ctrl &= (__u16)~ACS_REDIRECT;
	return port;
}

static void make_path(const struct machine *machine, int function,
		      const struct assumption *assumption, struct peerbuf_port *ports,
		      struct peerbuf_path *path)
{
	path->ports = ports;
	for (path->nr = 0; function != NOWHERE && path->nr < PEERBUF_MAX_PORTS; path->nr++) {
		ports[path->nr] = make_port(&machine->functions[function], assumption);
		function = machine->functions[function].parent;
	}
}

/* Is the function on the list, for ways from and to one bridge or any? */
bool engine_lists(const struct pci_function *function, bool same_bridge)
{
	const struct peerbuf_trusted_bridge *entry;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(peerbuf_trusted_bridges); i++) {
		entry = &peerbuf_trusted_bridges[i];
		if (function->vendor == entry->vendor && function->device >= entry->first &&
		    function->device <= entry->last)
			return same_bridge || !entry->same_bridge_only;
	}
	return false;
}

/**
 * engine_trusts() - do the host bridges between two functions forward?
 * @machine: the machine
 * @a: one function
 * @b: the other
 * @blocker: set to the function that stands for the first that does not, or to
 *	NOWHERE
 *
 * Return: true if requests that reach the root complex come down again.
 */
bool engine_trusts(const struct machine *machine, int a, int b, int *blocker)
{
	const int hosts[] = { machine->functions[a].host, machine->functions[b].host };
	bool same = hosts[0] == hosts[1];
	size_t i;
	int f;

	*blocker = NOWHERE;
	if (machine->cpu_forwards)
		return true;
	for (i = 0; i < ARRAY_SIZE(hosts); i++) {
		f = machine->hosts[hosts[i]].function;
		if (f != NOWHERE && engine_lists(&machine->functions[f], same))
			continue;
		*blocker = f;
		return false;
	}
	return true;
}

/**
 * engine_route() - decide a route as the kernel would
 * @machine: the machine
 * @provider: whose memory
 * @importer: who does the DMA
 * @assumption: what is taken to be otherwise
 * @verdict: filled in
 */
void engine_route(const struct machine *machine, int provider, int importer,
		  const struct assumption *assumption, struct peerbuf_verdict *verdict)
{
	struct peerbuf_port up[PEERBUF_MAX_PORTS], down[PEERBUF_MAX_PORTS];
	struct peerbuf_facts facts = {
		.iommu = assumption->iommu,
		.dma_mask = assumption->dma_mask ? assumption->dma_mask : ~0ULL,
		.phys_last = machine->functions[provider].phys_last,
		.bus_offset = assumption->bus_offset,
	};
	int blocker;

	make_path(machine, provider, assumption, up, &facts.provider);
	make_path(machine, importer, assumption, down, &facts.importer);
	facts.host_trusted = assumption->trusted ||
			     engine_trusts(machine, provider, importer, &blocker);
	if (!facts.host_trusted && blocker != NOWHERE)
		facts.host = make_port(&machine->functions[blocker], assumption);
	peerbuf_route(&facts, verdict);
}
