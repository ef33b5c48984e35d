// SPDX-License-Identifier: GPL-2.0-only
/* peerbuf's verdict against pci_p2pdma_distance_many(), pair by pair. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fabric.h"

#define MAX_FUNCTIONS	8192
#define MAX_MESSAGES	10

/**
 * fabric_cpu_trusted() - does the kernel trust every host bridge with this CPU
 *
 * Return: true for AMD from Zen (family 0x17) on.
 */
bool fabric_cpu_trusted(void)
{
	FILE *file = fopen("/proc/cpuinfo", "r");
	unsigned int family = 0;
	bool amd = false;
	char line[256];

	if (!file)
		fail("cannot open /proc/cpuinfo");
	while (fgets(line, sizeof(line), file)) {
		amd |= !!strstr(line, "AuthenticAMD");
		if (!strncmp(line, "cpu family", 10))
			family = atoi(strchr(line, ':') + 1);
	}
	fclose(file);
	return amd && family >= 0x17;
}

/**
 * fabric_agrees() - is it the same in peerbuf's words and in the kernel's
 * @verdict: of peerbuf
 * @distance: of the kernel, -1 for unreachable
 *
 * The kernel does not look at DMA masks; that difference is meant to be.
 *
 * Return: true if so.
 */
bool fabric_agrees(const struct peerbuf_verdict *verdict, int distance)
{
	if (!(verdict->flags & PEERBUF_VERDICT_KERNEL) ||
	    verdict->flags & PEERBUF_VERDICT_DISAGREES)
		return false;
	if (verdict->reason == PEERBUF_REASON_DMA_MASK)
		return distance >= 0 && verdict->distance == -1;
	if (verdict->route == PEERBUF_ROUTE_NONE)
		return distance == -1 && verdict->distance == -1;
	return distance == verdict->distance;
}

static void compare_pair(const struct pb_device *provider,
			 const struct peerbuf_route_entry *ours,
			 const struct peerbuf_fabric_distance *theirs,
			 struct fabric_count *count)
{
	const struct peerbuf_verdict *verdict = &ours->verdict;

	if (!pb_same_function(&ours->importer, &theirs->importer))
		fail("the lists of functions differ");
	count->pairs++;
	count->routes[verdict->route]++;
	count->masked += verdict->reason == PEERBUF_REASON_DMA_MASK;
	if (fabric_agrees(verdict, theirs->distance))
		return;
	if (count->disagreements++ >= MAX_MESSAGES)
		return;
	printf("# %s from %04x:%02x:%02x.%x: ", provider->name,
	       ours->importer.domain, ours->importer.bus,
	       ours->importer.devfn >> 3, ours->importer.devfn & 7);
	printf("route %u reason %u distance %d flags %#x, the kernel says %d\n",
	       verdict->route, verdict->reason, verdict->distance,
	       verdict->flags, theirs->distance);
}

static void compare_row(const struct fabric *fabric,
			const struct pb_device *provider,
			struct fabric_count *count)
{
	static struct peerbuf_route_entry ours[MAX_FUNCTIONS];
	static struct peerbuf_fabric_distance theirs[MAX_FUNCTIONS];
	unsigned int i, nr;

	nr = must(pb_routes(&provider->function, ours, MAX_FUNCTIONS));
	if (nr > MAX_FUNCTIONS ||
	    nr != fabric_distances(fabric, &provider->function, theirs,
				   MAX_FUNCTIONS))
		fail("%u functions: too many, or not the same number twice", nr);
	for (i = 0; i < nr; i++)
		compare_pair(provider, &ours[i], &theirs[i], count);
}

/**
 * fabric_compare() - all functions of a fabric, ports included, as providers for
 * all functions of the system
 * @fabric: what to ask about
 * @count: added to
 */
void fabric_compare(const struct fabric *fabric, struct fabric_count *count)
{
	unsigned int i;

	for (i = 0; i < fabric->nr; i++)
		compare_row(fabric, &fabric->functions[i].device, count);
}

/** fabric_add_count() - add @count to @sum. */
void fabric_add_count(struct fabric_count *sum, const struct fabric_count *count)
{
	unsigned int i;

	sum->pairs += count->pairs;
	sum->masked += count->masked;
	sum->disagreements += count->disagreements;
	for (i = 0; i < ARRAY_SIZE(sum->routes); i++)
		sum->routes[i] += count->routes[i];
}
