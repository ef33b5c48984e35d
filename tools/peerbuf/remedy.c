// SPDX-License-Identifier: MIT
/*
 * What would help. Routing itself is asked what it would say then, and what does
 * not help is not told; each remedy has its price.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "why.h"

/* ACS bits that the kernel parameter names, highest first: DT EC UF CR RR TB SV */
#define ACS_BITS 7

enum price {
	PRICE_ACS,
	PRICE_REDIR,
	PRICE_SETPCI,
	PRICE_BIOS,
	PRICE_TRUST,
	PRICE_SLOT,
	PRICE_SOCKET,
	PRICE_IOMMU,
	PRICE_BAR,
};

static const char * const prices[] = {
	[PRICE_ACS] =
		"The IOMMU no longer stands between the devices below these ports: each can read and write the other's memory, so do not hand one of them to a guest or user that the other must be safe from.",
	[PRICE_REDIR] =
		"As with config_acs=, the devices below these ports reach each other past the IOMMU; and what Linux else turns on there (SV, UF) stays as the firmware has it.",
	[PRICE_SETPCI] =
		"The devices below these ports reach each other past the IOMMU, while until the next boot the IOMMU groups still promise that they cannot.",
	[PRICE_BIOS] =
		"All devices of the machine can then reach each other past the IOMMU, not just these two.",
	[PRICE_TRUST] =
		"peerbuf takes your word for it: where the bridge does not forward, writes are lost and reads return ones, without an error; isolation by the IOMMU stays as it is.",
	[PRICE_SLOT] =
		"None by itself; what sits below one switch whose ports do not redirect is not isolated from each other.",
	[PRICE_SOCKET] =
		"None: what the devices are isolated from stays as it is.",
	[PRICE_IOMMU] =
		"Translation costs a little time, and Linux then turns on ACS redirect, so that bus routes become host routes.",
	[PRICE_BAR] =
		"Less room for large BARs: devices that do not fit get none.",
};

/* Takes over @command. Without memory, what was found so far has to do. */
__printf(5, 6)
static struct remedy *add(struct finding *finding, const char *kind, enum price price,
			  char *command, const char *format, ...)
{
	struct remedy *remedy;
	va_list args;
	char *title;
	int length;

	va_start(args, format);
	length = vasprintf(&title, format, args);
	va_end(args);
	if (length < 0 || finding->nr_remedies == MAX_REMEDIES) {
		if (length >= 0)
			free(title);
		free(command);
		return NULL;
	}
	remedy = &finding->remedies[finding->nr_remedies++];
	*remedy = (struct remedy) {
		.kind = kind,
		.title = title,
		.command = command,
		.price = prices[price],
	};
	return remedy;
}

/* The remedy was checked, with this outcome. */
static void confirm(struct remedy *remedy, const struct peerbuf_verdict *then)
{
	if (!remedy)
		return;
	remedy->checked = true;
	remedy->then = *then;
}

static struct assumption as_it_is(const struct finding *finding)
{
	const struct peerbuf_verdict *verdict = &finding->answer.verdict;

	return (struct assumption) {
		.iommu = verdict->flags & PEERBUF_VERDICT_IOMMU,
		.dma_mask = verdict->dma_mask,
		.bus_offset = verdict->bus_offset,
	};
}

static bool helps(const struct finding *finding, const struct assumption *assumption,
		  struct peerbuf_verdict *then)
{
	engine_route(finding->machine, finding->provider, finding->importer, assumption, then);
	return then->route != PEERBUF_ROUTE_NONE &&
	       then->route != finding->answer.verdict.route;
}

/*
 * Redirect off; what else the port does stays on. "x" is what the firmware has
 * set, which is off where it is off now.
 */
static void print_acs_flags(FILE *file, __u16 ctrl)
{
	int bit;

	for (bit = ACS_BITS - 1; bit >= 0; bit--) {
		if (ACS_REDIRECT & 1 << bit)
			fputc('0', file);
		else
			fputc(ctrl & 1 << bit ? '1' : 'x', file);
	}
}

/* A parameter that names all ports that redirect; NULL without memory. */
static char *name_ports(const struct finding *finding, const char *parameter, bool flags)
{
	const struct pci_function *f;
	const char *separator = "";
	char *text = NULL;
	size_t size;
	FILE *file;
	int i;

	file = open_memstream(&text, &size);
	if (!file)
		return NULL;
	fputs(parameter, file);
	for (i = 0; i < finding->nr_hops; i++) {
		if (!finding->hops[i].redirects)
			continue;
		f = &finding->machine->functions[finding->hops[i].function];
		fputs(separator, file);
		if (flags) {
			print_acs_flags(file, f->acs_ctrl);
			fputc('@', file);
		}
		fputs(name_of(&f->address).text, file);
		separator = ";";
	}
	fclose(file);
	return text;
}

static char *name_setpci(const struct finding *finding)
{
	const char *separator = "";
	char *text = NULL;
	size_t size;
	FILE *file;
	int i;

	file = open_memstream(&text, &size);
	if (!file)
		return NULL;
	for (i = 0; i < finding->nr_hops; i++) {
		const struct hop *hop = &finding->hops[i];

		if (!hop->redirects)
			continue;
		fprintf(file, "%ssetpci -s %s ECAP_ACS+6.w=0:%x", separator,
			name_of(&finding->machine->functions[hop->function].address).text,
			ACS_REDIRECT);
		separator = " && ";
	}
	fclose(file);
	return text;
}

static void add_acs(struct finding *finding)
{
	struct assumption assumption = as_it_is(finding);
	struct peerbuf_verdict then;
	struct remedy *remedy;

	assumption.no_redirect = true;
	if (!helps(finding, &assumption, &then))
		return;
	remedy = add(finding, "kernel-parameter", PRICE_ACS,
		     name_ports(finding, "pci=config_acs=", true),
		     "Kernel parameter, Linux 6.12 and later (in quotes where the boot loader splits at \";\")");
	confirm(remedy, &then);
	remedy = add(finding, "kernel-parameter", PRICE_REDIR,
		     name_ports(finding, "pci=disable_acs_redir=", false),
		     "Kernel parameter, before Linux 6.12");
	confirm(remedy, &then);
	remedy = add(finding, "runtime", PRICE_SETPCI, name_setpci(finding),
		     "To try it until the next boot, as root; peerbuf sees it at the next attach");
	confirm(remedy, &then);
	remedy = add(finding, "firmware", PRICE_BIOS, NULL,
		     "BIOS: turn \"ACS\" (ACS Enable, ACS Control) off; it helps only while no IOMMU is on, with which Linux turns ACS on itself");
	confirm(remedy, &then);
}

/* Bridges that need somebody's word. NULL if one of them cannot be named. */
static char *name_bridges(const struct finding *finding)
{
	const struct machine *machine = finding->machine;
	const int hosts[] = {
		machine->functions[finding->provider].host,
		machine->functions[finding->importer].host,
	};
	bool same = hosts[0] == hosts[1];
	__u32 done = 0, id;
	char *text = NULL;
	size_t size, i;
	FILE *file;

	file = open_memstream(&text, &size);
	if (!file)
		return NULL;
	fputs("peerbuf.trusted_bridges=", file);
	for (i = 0; i < ARRAY_SIZE(hosts); i++) {
		const struct host_bridge *host = &machine->hosts[hosts[i]];
		const struct pci_function *f;

		if (host->function == NOWHERE) {
			fclose(file);
			free(text);
			return NULL;
		}
		f = &machine->functions[host->function];
		id = (__u32)f->vendor << 16 | f->device;
		if (id == done || engine_lists(f, same))
			continue;
		fprintf(file, "%s%04x:%04x", done ? "," : "", f->vendor, f->device);
		done = id;
	}
	fclose(file);
	return text;
}

static void add_trust(struct finding *finding)
{
	struct assumption assumption = as_it_is(finding);
	struct peerbuf_verdict then;
	struct remedy *remedy;
	char *command;

	assumption.trusted = true;
	if (!helps(finding, &assumption, &then))
		return;
	command = name_bridges(finding);
	if (!command)
		return;
	remedy = add(finding, "module-parameter", PRICE_TRUST, command,
		     "If the maker says that the host bridge forwards: kernel parameter, or \"modprobe peerbuf\" with what follows the dot");
	confirm(remedy, &then);
}

static bool has_child(const struct machine *machine, int function)
{
	int i;

	for (i = 0; i < machine->nr; i++) {
		if (machine->functions[i].parent == function)
			return true;
	}
	return false;
}

/* What routing says once a function sits below another port. */
static bool helps_there(const struct finding *finding, int moved, int port,
			struct peerbuf_verdict *then)
{
	struct machine machine = *finding->machine;
	struct assumption assumption = as_it_is(finding);

	machine.functions = calloc((size_t)machine.nr, sizeof(*machine.functions));
	if (!machine.functions)
		return false;
	memcpy(machine.functions, finding->machine->functions,
	       (size_t)machine.nr * sizeof(*machine.functions));
	machine.functions[moved].parent = port;
	machine.functions[moved].host = machine.functions[port].host;
	engine_route(&machine, finding->provider, finding->importer, &assumption, then);
	free(machine.functions);
	return then->route == PEERBUF_ROUTE_BUS;
}

/* The lowest switch above a function, or NOWHERE. */
static int find_switch(const struct machine *machine, int function)
{
	while (function != NOWHERE && machine->functions[function].type != TYPE_UPSTREAM)
		function = machine->functions[function].parent;
	return function;
}

/* A free port of the switch that @stays sits on, from which it can be reached. */
static bool add_free_port(struct finding *finding, int moved, int stays)
{
	const struct machine *machine = finding->machine;
	int i, upstream = find_switch(machine, stays);
	struct peerbuf_verdict then;
	struct remedy *remedy;

	for (i = 0; upstream != NOWHERE && i < machine->nr; i++) {
		if (machine->functions[i].parent != upstream ||
		    machine->functions[i].type != TYPE_DOWNSTREAM || has_child(machine, i) ||
		    !helps_there(finding, moved, i, &then))
			continue;
		remedy = add(finding, "slot", PRICE_SLOT, NULL,
			     "Slot: move %s to the slot of port %s, which is free, on the switch of %s",
			     name_of(&machine->functions[moved].address).text,
			     name_of(&machine->functions[i].address).text,
			     name_of(&machine->functions[stays].address).text);
		confirm(remedy, &then);
		return true;
	}
	return false;
}

static void add_slot(struct finding *finding)
{
	const struct machine *machine = finding->machine;
	const struct pci_function *a = &machine->functions[finding->provider];
	const struct pci_function *b = &machine->functions[finding->importer];
	bool found;

	found = add_free_port(finding, finding->importer, finding->provider);
	found |= add_free_port(finding, finding->provider, finding->importer);
	if (found)
		return;
	add(finding, "slot", PRICE_SLOT, NULL,
	    "Slot: put %s and %s below one PCIe switch (slots of one switch, a riser or an enclosure with a switch)",
	    name_of(&a->address).text, name_of(&b->address).text);
}

/* Some host bridges forward what comes from and goes to themselves. */
static void add_same_bridge(struct finding *finding)
{
	const struct machine *machine = finding->machine;
	int a = machine->functions[finding->provider].host;
	int b = machine->functions[finding->importer].host;
	int f = machine->hosts[a].function;

	if (a == b || f == NOWHERE || !engine_lists(&machine->functions[f], true) ||
	    engine_lists(&machine->functions[f], false))
		return;
	add(finding, "slot", PRICE_SOCKET, NULL,
	    "Slot: move %s to a slot of the same host bridge (socket) as %s: this one forwards within itself",
	    name_of(&machine->functions[finding->importer].address).text,
	    name_of(&machine->functions[finding->provider].address).text);
}

static void add_mask(struct finding *finding)
{
	struct assumption assumption = as_it_is(finding);
	struct peerbuf_verdict then;
	struct remedy *remedy;

	assumption.iommu = true;
	/* the address did not fit, so the host bridges on the way do forward */
	assumption.trusted = true;
	if (helps(finding, &assumption, &then)) {
		remedy = add(finding, "kernel-parameter", PRICE_IOMMU,
			     strdup("intel_iommu=on"),
			     "Turn the IOMMU on, in the BIOS and by kernel parameter (on AMD it is on by default)");
		confirm(remedy, &then);
	}
	add(finding, "firmware", PRICE_BAR, NULL,
	    "BIOS: place BARs lower, at most at 0x%llx (\"Above 4G Decoding\" off, or a lower \"MMIO High Base\")",
	    (unsigned long long)finding->answer.verdict.dma_mask);
}

static void add_dump(struct finding *finding)
{
	add(finding, "dump", PRICE_SOCKET, strdup("lspci -D -xxxx > dump"),
	    "Some ports' ACS is not in the dump; on that machine, as root");
}

/**
 * find_remedies() - what would help a pair
 * @finding: with its hops; the remedies are filled in
 *
 * Return: how many there are.
 */
int find_remedies(struct finding *finding)
{
	if (!finding->answer.certain)
		add_dump(finding);
	switch (finding->answer.verdict.reason) {
	case PEERBUF_REASON_ACS_REDIRECT:
		add_acs(finding);
		if (finding->answer.verdict.route == PEERBUF_ROUTE_NONE)
			add_trust(finding);
		break;
	case PEERBUF_REASON_HOST_UNTRUSTED:
		add_slot(finding);
		add_same_bridge(finding);
		add_trust(finding);
		break;
	case PEERBUF_REASON_HOST_TRUSTED:
		add_slot(finding);
		break;
	case PEERBUF_REASON_DMA_MASK:
		add_mask(finding);
		break;
	}
	return finding->nr_remedies;
}

void free_remedies(struct finding *finding)
{
	int i;

	for (i = 0; i < finding->nr_remedies; i++) {
		free(finding->remedies[i].title);
		free(finding->remedies[i].command);
	}
}
