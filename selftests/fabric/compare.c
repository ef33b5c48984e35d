// SPDX-License-Identifier: GPL-2.0-only
/* peerbuf's verdict against pci_p2pdma_distance_many(), pair by pair. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fabric.h"

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
	if (verdict->reason == PEERBUF_REASON_DMA_MASK)
		return distance >= 0 && verdict->distance == -1;
	if (verdict->route == PEERBUF_ROUTE_NONE)
		return distance == -1 && verdict->distance == -1;
	return distance == verdict->distance;
}

static void compare_pair(const struct fabric *fabric,
			 const struct pb_device *provider,
			 const struct pb_device *importer,
			 struct fabric_count *count)
{
	struct peerbuf_verdict verdict;
	int distance;

	must(pb_route(&provider->function, &importer->function, &verdict));
	distance = fabric_distance(fabric->fd, &provider->function,
				   &importer->function);
	count->pairs++;
	count->routes[verdict.route]++;
	count->masked += verdict.reason == PEERBUF_REASON_DMA_MASK;
	if (fabric_agrees(&verdict, distance))
		return;
	if (count->disagreements++ < 10)
		printf("# %s from %s: route %u reason %u distance %d, the kernel says %d\n",
		       provider->name, importer->name, verdict.route,
		       verdict.reason, verdict.distance, distance);
}

/**
 * fabric_compare() - all pairs of a fabric, ports included
 * @fabric: what to ask about
 * @count: added to
 */
void fabric_compare(const struct fabric *fabric, struct fabric_count *count)
{
	unsigned int i, j;

	for (i = 0; i < fabric->nr; i++) {
		for (j = 0; j < fabric->nr; j++)
			compare_pair(fabric, &fabric->functions[i].device,
				     &fabric->functions[j].device, count);
	}
}
