// SPDX-License-Identifier: MIT
/* The functions of a machine and the tree that they make. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

/* Of the smallest window that can be lent. */
#define PAGE 4096

static int compare_addresses(const struct peerbuf_function *a,
			     const struct peerbuf_function *b)
{
	if (a->domain != b->domain)
		return a->domain < b->domain ? -1 : 1;
	return (a->bus << 8 | a->devfn) - (b->bus << 8 | b->devfn);
}

static int compare_functions(const void *a, const void *b)
{
	const struct pci_function *x = a, *y = b;

	return compare_addresses(&x->address, &y->address);
}

/* Room for one more, zeroed; NULL without memory. Grows in powers of two. */
struct pci_function *machine_add(struct machine *machine)
{
	struct pci_function *grown;

	if (!(machine->nr & (machine->nr - 1))) {
		grown = reallocarray(machine->functions, machine->nr ? 2 * machine->nr : 1,
				     sizeof(*grown));
		if (!grown)
			return NULL;
		machine->functions = grown;
	}
	grown = &machine->functions[machine->nr++];
	memset(grown, 0, sizeof(*grown));
	return grown;
}

void machine_free(struct machine *machine)
{
	free(machine->functions);
	free(machine->hosts);
}

/* Returns an index, or NOWHERE. */
int machine_find(const struct machine *machine, const struct peerbuf_function *function)
{
	struct pci_function key = { .address = *function };
	struct pci_function *found = NULL;

	if (machine->nr)
		found = bsearch(&key, machine->functions, (size_t)machine->nr, sizeof(key),
				compare_functions);
	return found ? (int)(found - machine->functions) : NOWHERE;
}

/* Is the function @bridge itself, or somewhere below it? */
bool machine_below(const struct machine *machine, int function, int bridge)
{
	while (function != NOWHERE && function != bridge)
		function = machine->functions[function].parent;
	return function != NOWHERE;
}

/* The lowest function that is above both, or one of them; NOWHERE if none is. */
int machine_common(const struct machine *machine, int a, int b)
{
	while (a != NOWHERE && !machine_below(machine, b, a))
		a = machine->functions[a].parent;
	return a;
}

/* The host bridge of a root bus, which is added if it is new; or -ENOMEM. */
int machine_host(struct machine *machine, __u32 domain, __u8 bus)
{
	struct host_bridge *grown;
	int i;

	for (i = 0; i < machine->nr_hosts; i++) {
		if (machine->hosts[i].domain == domain && machine->hosts[i].bus == bus)
			return i;
	}
	grown = reallocarray(machine->hosts, (size_t)i + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	machine->hosts = grown;
	machine->hosts[i] = (struct host_bridge) { domain, bus, NOWHERE };
	machine->nr_hosts++;
	return i;
}

/*
 * The bridge above a bus: the one whose secondary bus it is, else the lowest one
 * that has it in its range, as for the buses of virtual functions. A bridge is
 * above only what has a higher bus number, so that no dump can make a circle.
 */
int machine_bridge_above(struct machine *machine, int function)
{
	const struct pci_function *f = &machine->functions[function];
	const struct pci_function *bridge, *best = NULL;
	int i;

	for (i = 0; i < machine->nr; i++) {
		bridge = &machine->functions[i];
		if (!bridge->bridge || bridge->address.domain != f->address.domain ||
		    bridge->address.bus >= f->address.bus ||
		    bridge->secondary <= bridge->address.bus ||
		    bridge->secondary > f->address.bus ||
		    bridge->subordinate < f->address.bus)
			continue;
		if (!best || bridge->secondary > best->secondary)
			best = bridge;
	}
	return best ? (int)(best - machine->functions) : NOWHERE;
}

static int find_host(struct machine *machine, int function)
{
	const struct pci_function *top = &machine->functions[function];

	while (top->parent != NOWHERE)
		top = &machine->functions[top->parent];
	return machine_host(machine, top->address.domain, top->address.bus);
}

/* Device 0 of the root bus, or the first function there if that is a root port. */
static void find_host_function(struct machine *machine, int host)
{
	const struct host_bridge *bridge = &machine->hosts[host];
	const struct pci_function *f;
	int i;

	for (i = 0; i < machine->nr; i++) {
		f = &machine->functions[i];
		if (f->address.domain != bridge->domain || f->address.bus != bridge->bus)
			continue;
		if (!f->address.devfn || f->type == TYPE_ROOT_PORT ||
		    (f->type == TYPE_UNKNOWN && f->bridge))
			machine->hosts[host].function = i;
		return;
	}
}

/* Of functions that are there twice, as only in a dump, one counts. */
static void drop_doubles(struct machine *machine)
{
	int i, kept = 0;

	for (i = 0; i < machine->nr; i++) {
		if (kept && !compare_functions(&machine->functions[kept - 1],
					       &machine->functions[i]))
			continue;
		machine->functions[kept++] = machine->functions[i];
	}
	machine->nr = kept;
}

/* All functions are there: sort them, and make a tree of them. */
int machine_finish(struct machine *machine,
		   int (*parent_of)(struct machine *machine, int function))
{
	int i, host;

	if (machine->nr)
		qsort(machine->functions, (size_t)machine->nr, sizeof(*machine->functions),
		      compare_functions);
	drop_doubles(machine);
	for (i = 0; i < machine->nr; i++)
		machine->functions[i].parent = parent_of(machine, i);
	for (i = 0; i < machine->nr; i++) {
		host = find_host(machine, i);
		if (host < 0)
			return host;
		machine->functions[i].host = host;
	}
	for (i = 0; i < machine->nr_hosts; i++)
		find_host_function(machine, i);
	return 0;
}

static void ask_engine(const struct machine *machine, int provider, int importer,
		       struct answer *answer)
{
	const struct assumption best = { 0 }, worst = { .unknown_acs = ACS_REDIRECT };

	engine_route(machine, provider, importer, &best, &answer->verdict);
	engine_route(machine, provider, importer, &worst, &answer->otherwise);
	answer->certain = answer->verdict.route == answer->otherwise.route &&
			  answer->verdict.reason == answer->otherwise.reason;
}

static void set_answer(struct answer *answer, const struct peerbuf_verdict *verdict)
{
	answer->verdict = *verdict;
	answer->otherwise = *verdict;
	answer->certain = true;
}

/* The kernel's verdict, or for a dump that of the kernel's code. */
int machine_ask(const struct machine *machine, int provider, int importer,
		struct answer *answer)
{
	struct peerbuf_route_query query = { .size = sizeof(query) };
	int err;

	if (machine->control < 0) {
		ask_engine(machine, provider, importer, answer);
		return 0;
	}
	err = peerbuf_query_route(machine->control, &machine->functions[provider].address,
				  &machine->functions[importer].address, &query);
	set_answer(answer, &query.verdict);
	return err;
}

struct routes_query {
	const struct machine *machine;
	int provider;
};

static int ask_routes(void *query, void *entries, __u32 room, __u32 *nr)
{
	struct peerbuf_routes_query routes = { .size = sizeof(routes) };
	const struct routes_query *q = query;
	int err;

	err = peerbuf_query_routes(q->machine->control,
				   &q->machine->functions[q->provider].address, &routes,
				   entries, room);
	*nr = routes.nr_routes;
	return err;
}

/* @place has an index into the kernel's entries, for each function of ours. */
static int take_answers(const struct peerbuf_route_entry *entries, const int *place,
			const struct selection *importers, struct answer *answers)
{
	int i, at;

	for (i = 0; i < importers->nr; i++) {
		at = place[importers->functions[i]];
		if (at == NOWHERE)
			return -ENXIO;
		set_answer(&answers[i], &entries[at].verdict);
	}
	return 0;
}

static int ask_kernel(const struct machine *machine, int provider,
		      const struct selection *importers, struct answer *answers)
{
	struct routes_query query = { .machine = machine, .provider = provider };
	int *place, at, i, found, nr, err;
	struct peerbuf_route_entry *entries;
	void *list;

	nr = read_entries(ask_routes, &query, sizeof(*entries), (__u32)machine->nr, &list);
	if (nr < 0)
		return nr;
	entries = list;
	place = calloc((size_t)machine->nr, sizeof(*place));
	err = place ? 0 : -ENOMEM;
	if (!err) {
		for (i = 0; i < machine->nr; i++)
			place[i] = NOWHERE;
		for (at = 0; at < nr; at++) {
			found = machine_find(machine, &entries[at].importer);
			if (found != NOWHERE)
				place[found] = at;
		}
		err = take_answers(entries, place, importers, answers);
	}
	free(place);
	free(entries);
	return err;
}

/**
 * machine_ask_all() - the kernel's verdicts on one provider, or its code's
 * @machine: the machine
 * @provider: whose memory
 * @importers: who does the DMA
 * @answers: room for as many
 *
 * Return: 0, -ENXIO if a function is not there any more, or an error.
 */
int machine_ask_all(const struct machine *machine, int provider,
		    const struct selection *importers, struct answer *answers)
{
	int i;

	if (machine->control >= 0)
		return ask_kernel(machine, provider, importers, answers);
	for (i = 0; i < importers->nr; i++)
		ask_engine(machine, provider, importers->functions[i], &answers[i]);
	return 0;
}

bool is_endpoint(const struct pci_function *function)
{
	return !function->bridge && function->class >> 16 != 0x06;
}

/* Memory of at least a page, behind a BAR. */
bool can_lend(const struct pci_function *function)
{
	return is_endpoint(function) && (function->memory >= PAGE || function->memory == 1);
}

/*
 * Whether a function can master the bus cannot be read, only tried. What a driver
 * has let can; so may what has memory, unless it is nothing but memory or belongs
 * to the chipset.
 */
bool can_import(const struct pci_function *function)
{
	static const __u16 never[] = {
		0x0800, 0x0801, 0x0802, 0x0803, 0x0804, 0x0805, 0x0806, 0x0807,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(never); i++) {
		if (function->class >> 8 == never[i])
			return false;
	}
	if (!is_endpoint(function) || function->class >> 16 == 0x11)
		return false;
	return function->master || (function->memory && function->class >> 16 != 0x05);
}

const char *class_word(const struct pci_function *function)
{
	static const struct {
		__u32 class;
		int bits;
		const char *word;
	} words[] = {
		{ 0x0108, 16, "NVMe" }, { 0x01, 8, "storage" }, { 0x0207, 16, "InfiniBand" },
		{ 0x02, 8, "network" }, { 0x0302, 16, "GPU" }, { 0x03, 8, "display" },
		{ 0x04, 8, "multimedia" }, { 0x05, 8, "memory" }, { 0x0600, 16, "host bridge" },
		{ 0x06, 8, "bridge" }, { 0x07, 8, "serial" }, { 0x08, 8, "system" },
		{ 0x0c03, 16, "USB" }, { 0x0c, 8, "serial bus" }, { 0x0b, 8, "processor" },
		{ 0x0d, 8, "wireless" }, { 0x10, 8, "crypto" }, { 0x11, 8, "signal" },
		{ 0x12, 8, "accelerator" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (function->class >> (24 - words[i].bits) == words[i].class)
			return words[i].word;
	}
	return "device";
}
