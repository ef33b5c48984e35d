// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Routing: facts in, verdict out. Touches no hardware, takes no lock, and
 * allocates nothing, so that every branch can be tested anywhere.
 *
 * The topology rules are those of drivers/pci/p2pdma.c, calc_map_type_and_dist():
 * two functions below one bridge reach each other by bus address unless a port
 * on the way redirects peer requests to the root (ACS); all else crosses a host
 * bridge, which must be known to forward such requests.
 */
#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/string.h>
#include <uapi/linux/pci_regs.h>

#include "route.h"

/* Any of these sends a peer request up instead of across: PCIe 6.0, 6.12.3 */
#define ACS_REDIRECT	(PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_EC)

static bool same_function(const struct peerbuf_port *a,
			  const struct peerbuf_port *b)
{
	return a->function.domain == b->function.domain &&
	       a->function.bus == b->function.bus &&
	       a->function.devfn == b->function.devfn;
}

/* Where the two paths meet, as indices into each; false if nowhere. */
static bool find_common(const struct peerbuf_facts *facts, unsigned int *up,
			unsigned int *down)
{
	unsigned int i, j;

	for (i = 0; i < facts->provider.nr; i++) {
		for (j = 0; j < facts->importer.nr; j++) {
			if (same_function(&facts->provider.ports[i],
					  &facts->importer.ports[j])) {
				*up = i;
				*down = j;
				return true;
			}
		}
	}

	*up = facts->provider.nr;
	*down = facts->importer.nr;
	return false;
}

static const struct peerbuf_port *find_redirect(const struct peerbuf_path *path,
						unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (path->ports[i].acs_ctrl & ACS_REDIRECT)
			return &path->ports[i];

	return NULL;
}

static void set_blocker(struct peerbuf_verdict *verdict,
			const struct peerbuf_port *port)
{
	if (!port->vendor)
		return;

	verdict->flags |= PEERBUF_VERDICT_BLOCKER;
	verdict->blocker = port->function;
	verdict->blocker_id = (u32)port->vendor << 16 | port->device;
	verdict->acs = port->acs_ctrl & ACS_REDIRECT;
}

static void set_none(struct peerbuf_verdict *verdict,
		     enum peerbuf_reason reason)
{
	verdict->route = PEERBUF_ROUTE_NONE;
	verdict->reason = reason;
	verdict->distance = -1;
}

/* The path crosses a host bridge, because of @redirect if that is not NULL. */
static void route_host(const struct peerbuf_facts *facts,
		       const struct peerbuf_port *redirect,
		       struct peerbuf_verdict *verdict)
{
	verdict->reason = redirect ? PEERBUF_REASON_ACS_REDIRECT :
				     PEERBUF_REASON_HOST_TRUSTED;
	verdict->route = PEERBUF_ROUTE_HOST;
	if (redirect)
		set_blocker(verdict, redirect);

	if (facts->host_trusted) {
		if (facts->host_admin)
			verdict->flags |= PEERBUF_VERDICT_ADMIN;
		return;
	}

	set_none(verdict, redirect ? PEERBUF_REASON_ACS_REDIRECT :
				     PEERBUF_REASON_HOST_UNTRUSTED);
	if (!redirect)
		set_blocker(verdict, &facts->host);
}

static void route_topology(const struct peerbuf_facts *facts,
			   struct peerbuf_verdict *verdict)
{
	const struct peerbuf_port *redirect;
	unsigned int up, down;
	bool common;

	common = find_common(facts, &up, &down);
	verdict->distance = up + down;

	if (!common) {
		route_host(facts, NULL, verdict);
		return;
	}

	/*
	 * The common bridge counts on the provider's side, as in the kernel: a
	 * root port with redirect on does not send a request back down.
	 */
	redirect = find_redirect(&facts->provider, up + 1);
	if (!redirect)
		redirect = find_redirect(&facts->importer, down);
	if (redirect) {
		route_host(facts, redirect, verdict);
		return;
	}

	verdict->route = PEERBUF_ROUTE_BUS;
	verdict->reason = up + down ? PEERBUF_REASON_COMMON_BRIDGE :
				      PEERBUF_REASON_SAME_FUNCTION;
}

/* The kernel judges the topology alone, and so is compared before policy. */
static void compare_with_kernel(const struct peerbuf_facts *facts,
				struct peerbuf_verdict *verdict)
{
	bool reachable = verdict->route != PEERBUF_ROUTE_NONE;

	if (!facts->kernel_asked)
		return;

	verdict->flags |= PEERBUF_VERDICT_KERNEL;
	if (reachable != facts->kernel_reachable)
		verdict->flags |= PEERBUF_VERDICT_DISAGREES;
}

/* Policy, in the order in which obstacles are reported; 0 for none. */
static u32 find_objection(const struct peerbuf_facts *facts,
			  const struct peerbuf_verdict *verdict)
{
	if (facts->class == PEERBUF_CLASS_STATIC && !facts->allow_static)
		return PEERBUF_REASON_STATIC;
	if (facts->class == PEERBUF_CLASS_PINNED && !facts->allow_pinned)
		return PEERBUF_REASON_NOT_REVOCABLE;
	if (facts->direct && verdict->route != PEERBUF_ROUTE_BUS)
		return PEERBUF_REASON_DIRECT_REQUIRED;

	return 0;
}

static bool addresses_fit(const struct peerbuf_facts *facts,
			  const struct peerbuf_verdict *verdict)
{
	if (verdict->route == PEERBUF_ROUTE_BUS)
		return facts->phys_last + facts->bus_offset <= facts->dma_mask;

	return facts->iommu || facts->phys_last <= facts->dma_mask;
}

/**
 * peerbuf_route - decide how, or whether, an importer reaches a provider
 * @facts: topology and policy
 * @verdict: filled in, whatever the outcome
 *
 * The first obstacle is the one that is reported: topology, then policy, then
 * the importer's DMA mask.
 *
 * Context: any.
 */
void peerbuf_route(const struct peerbuf_facts *facts,
		   struct peerbuf_verdict *verdict)
{
	u32 objection;

	memset(verdict, 0, sizeof(*verdict));
	verdict->bus_offset = facts->bus_offset;
	verdict->dma_mask = facts->dma_mask;
	if (facts->iommu)
		verdict->flags |= PEERBUF_VERDICT_IOMMU;

	if (!facts->importer.nr) {
		set_none(verdict, PEERBUF_REASON_NOT_PCI);
		return;
	}

	route_topology(facts, verdict);
	compare_with_kernel(facts, verdict);
	if (verdict->route == PEERBUF_ROUTE_NONE)
		return;

	objection = find_objection(facts, verdict);
	if (objection)
		set_none(verdict, objection);
	else if (!addresses_fit(facts, verdict))
		set_none(verdict, PEERBUF_REASON_DMA_MASK);
}
EXPORT_SYMBOL_IF_KUNIT(peerbuf_route);

/**
 * peerbuf_route_errno - what an attach or a map returns for a verdict
 * @verdict: from peerbuf_route()
 *
 * Context: any.
 *
 * Return: 0 with a route; -ENODEV where the memory is no longer there; -EAGAIN
 * where it is not there now; -EACCES where it may only be read; -EOPNOTSUPP where
 * this importer cannot or may not have it.
 */
int peerbuf_route_errno(const struct peerbuf_verdict *verdict)
{
	if (verdict->route != PEERBUF_ROUTE_NONE)
		return 0;

	switch (verdict->reason) {
	case PEERBUF_REASON_REVOKED:
	case PEERBUF_REASON_PROVIDER_GONE:
		return -ENODEV;
	case PEERBUF_REASON_READ_ONLY:
		return -EACCES;
	case PEERBUF_REASON_STOPPED:
		return -EAGAIN;
	default:
		return -EOPNOTSUPP;
	}
}
EXPORT_SYMBOL_IF_KUNIT(peerbuf_route_errno);

/**
 * peerbuf_reason_text - a reason in words
 * @reason: &enum peerbuf_reason
 *
 * Context: any.
 *
 * Return: a constant string that completes "no route: ...".
 */
const char *peerbuf_reason_text(u32 reason)
{
	switch (reason) {
	case PEERBUF_REASON_SAME_FUNCTION:
		return "same function";
	case PEERBUF_REASON_COMMON_BRIDGE:
		return "common bridge";
	case PEERBUF_REASON_ACS_REDIRECT:
		return "ACS redirects peer requests to the host bridge";
	case PEERBUF_REASON_HOST_TRUSTED:
		return "trusted host bridge";
	case PEERBUF_REASON_HOST_UNTRUSTED:
		return "host bridge not known to forward peer requests";
	case PEERBUF_REASON_NOT_PCI:
		return "importer is not below a PCI function";
	case PEERBUF_REASON_DMA_MASK:
		return "address beyond the importer's DMA mask";
	case PEERBUF_REASON_NOT_REVOCABLE:
		return "importer cannot be revoked and the export forbids that";
	case PEERBUF_REASON_STATIC:
		return "importer does not take peer memory";
	case PEERBUF_REASON_DIRECT_REQUIRED:
		return "export asks for a bus route";
	case PEERBUF_REASON_REVOKED:
		return "buffer revoked";
	case PEERBUF_REASON_READ_ONLY:
		return "buffer is read-only";
	case PEERBUF_REASON_PROVIDER_GONE:
		return "provider gone";
	case PEERBUF_REASON_STOPPED:
		return "provider stopped for a while";
	default:
		return "unknown reason";
	}
}
EXPORT_SYMBOL_IF_KUNIT(peerbuf_reason_text);
