// SPDX-License-Identifier: MIT
/* The way from a provider to an importer, port by port. */
#include "why.h"

static void add_hop(struct finding *finding, enum hop_role role, int function)
{
	finding->hops[finding->nr_hops++] = (struct hop) {
		.role = role,
		.function = function,
		.host = finding->machine->functions[function].host,
	};
}

static void add_host(struct finding *finding, int host)
{
	finding->hops[finding->nr_hops++] = (struct hop) {
		.role = HOP_HOST,
		.function = finding->machine->hosts[host].function,
		.host = host,
	};
}

/* From the top, NOWHERE for the root, down to the importer; the top is left out. */
static void add_down(struct finding *finding, int top)
{
	int way[PEERBUF_MAX_PORTS], f, nr = 0;

	for (f = finding->importer; f != top && nr < PEERBUF_MAX_PORTS;
	     f = finding->machine->functions[f].parent)
		way[nr++] = f;
	while (nr-- > 0)
		add_hop(finding, nr ? HOP_DOWN : HOP_IMPORTER, way[nr]);
}

static bool redirects(const struct finding *finding, int function)
{
	return finding->machine->functions[function].acs_ctrl & ACS_REDIRECT;
}

/* As in route.c: the common bridge counts on the provider's side. */
static bool any_redirects(const struct finding *finding, int common)
{
	int f;

	for (f = finding->provider; f != NOWHERE; f = finding->machine->functions[f].parent) {
		if (redirects(finding, f))
			return true;
		if (f == common)
			break;
	}
	for (f = finding->importer; f != common; f = finding->machine->functions[f].parent) {
		if (redirects(finding, f))
			return true;
	}
	return false;
}

/* Does the way go up to the root complex? */
static bool crosses_host(const struct finding *finding, int common)
{
	switch (finding->answer.verdict.reason) {
	case PEERBUF_REASON_SAME_FUNCTION:
	case PEERBUF_REASON_COMMON_BRIDGE:
		return false;
	case PEERBUF_REASON_ACS_REDIRECT:
	case PEERBUF_REASON_HOST_TRUSTED:
	case PEERBUF_REASON_HOST_UNTRUSTED:
		return true;
	default:
		return common == NOWHERE || any_redirects(finding, common);
	}
}

/* Of ports that the way passes twice, only the one between the two counts. */
static void mark_redirects(struct finding *finding, int common)
{
	struct hop *hop;
	int i;

	if (common == NOWHERE)
		return;
	for (i = 0; i < finding->nr_hops; i++) {
		hop = &finding->hops[i];
		if (hop->role == HOP_HOST || !redirects(finding, hop->function))
			continue;
		hop->redirects = hop->function == common ? hop->role != HOP_DOWN :
				 machine_below(finding->machine, hop->function, common);
	}
}

static void add_up(struct finding *finding, int top)
{
	int f;

	for (f = finding->provider; f != NOWHERE && f != top;
	     f = finding->machine->functions[f].parent)
		add_hop(finding, f == finding->provider ? HOP_PROVIDER : HOP_UP, f);
}

/**
 * find_hops() - the way of a pair
 * @finding: machine, pair and answer are set; the hops are filled in
 */
void find_hops(struct finding *finding)
{
	const struct pci_function *functions = finding->machine->functions;
	int common = machine_common(finding->machine, finding->provider, finding->importer);

	if (!crosses_host(finding, common)) {
		add_up(finding, common);
		if (common == finding->provider)
			add_hop(finding, HOP_PROVIDER, common);
		else if (common != finding->importer)
			add_hop(finding, HOP_TURN, common);
		if (common == finding->importer && common != finding->provider)
			add_hop(finding, HOP_IMPORTER, common);
		else if (common != finding->importer)
			add_down(finding, common);
	} else {
		add_up(finding, NOWHERE);
		add_host(finding, functions[finding->provider].host);
		if (functions[finding->provider].host != functions[finding->importer].host)
			add_host(finding, functions[finding->importer].host);
		add_down(finding, NOWHERE);
	}
	mark_redirects(finding, common);
}

const char *hop_role_name(enum hop_role role)
{
	static const char * const names[] = {
		[HOP_PROVIDER] = "provider", [HOP_UP] = "up", [HOP_TURN] = "turn",
		[HOP_HOST] = "host", [HOP_DOWN] = "down", [HOP_IMPORTER] = "importer",
	};

	return names[role];
}
