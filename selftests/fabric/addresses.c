// SPDX-License-Identifier: GPL-2.0-only
/*
 * A test importer attaches and maps on behalf of each function, and what it is
 * given is compared: with the route that was promised, and with the addresses of
 * the kernel's own dma_buf_phys_vec_to_sgt().
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fabric.h"

#define MAX_SEGMENTS	4
#define MAX_MESSAGES	10

/**
 * struct list - addresses that an importer is given
 * @error: or why not
 * @nr: segments
 * @segments: them
 */
struct list {
	int error;
	unsigned int nr;
	struct peerbuf_test_segment segments[MAX_SEGMENTS];
};

static unsigned int nr_ranges(const struct fabric_lender *provider)
{
	return provider->ranges[1].length ? 2 : 1;
}

static void ask_peerbuf(int test, const struct fabric_lender *provider,
			const struct fabric_lender *importer, struct list *list)
{
	struct peerbuf_test_map_info info;
	unsigned int handle;

	list->nr = 0;
	list->error = pb_test_attach(test, provider->dmabuf, &importer->device,
				     PEERBUF_TEST_REVOCABLE, 0, &handle);
	if (list->error)
		return;
	list->error = pb_test_call(test, PEERBUF_TEST_MAP, handle);
	if (!list->error) {
		must(pb_test_map_info(test, handle, &info, list->segments,
				      MAX_SEGMENTS));
		list->nr = info.nr_segments;
	}
	must(pb_test_call(test, PEERBUF_TEST_DETACH, handle));
}

static void ask_kernel(int test, const struct fabric_lender *provider,
		       const struct fabric_lender *importer, struct list *list)
{
	struct peerbuf_range ranges[2];
	unsigned int i;

	for (i = 0; i < nr_ranges(provider); i++) {
		ranges[i] = provider->ranges[i];
		ranges[i].offset += provider->window.bar_offset;
	}
	list->nr = MAX_SEGMENTS;
	list->error = pb_test_oracle(test, &provider->device,
				     provider->window.bar, &importer->device,
				     ranges, nr_ranges(provider), true,
				     list->segments, &list->nr);
}

/* By bus, physical address plus offset, exactly; else physical, as no IOMMU is. */
static bool keeps_promise(const struct fabric_lender *provider,
			  const struct peerbuf_verdict *verdict,
			  const struct list *list)
{
	__u64 expected;
	unsigned int i;

	if (verdict->route == PEERBUF_ROUTE_NONE)
		return list->error == -EOPNOTSUPP;
	if (list->error || list->nr != nr_ranges(provider))
		return false;
	for (i = 0; i < list->nr; i++) {
		expected = provider->window.phys + provider->ranges[i].offset;
		if (verdict->route == PEERBUF_ROUTE_BUS)
			expected += verdict->bus_offset;
		if (list->segments[i].address != expected ||
		    list->segments[i].length != provider->ranges[i].length)
			return false;
	}
	return true;
}

/* The kernel says EINVAL for no route. */
static bool same_addresses(const struct list *ours, const struct list *theirs)
{
	if (ours->error)
		return theirs->error == -EINVAL;
	return !theirs->error && ours->nr == theirs->nr &&
	       !memcmp(ours->segments, theirs->segments,
		       ours->nr * sizeof(ours->segments[0]));
}

static void print_list(const char *whose, const struct list *list)
{
	unsigned int i;

	printf("; %s error %d", whose, list->error);
	for (i = 0; i < list->nr && !list->error; i++)
		printf(" %#llx+%#llx",
		       (unsigned long long)list->segments[i].address,
		       (unsigned long long)list->segments[i].length);
}

static void explain(const struct fabric_lender *provider,
		    const struct fabric_lender *importer,
		    const struct peerbuf_verdict *verdict,
		    const struct list *ours, const struct list *theirs)
{
	printf("# %s from %s: route %u reason %u offset %lld",
	       provider->device.name, importer->device.name, verdict->route,
	       verdict->reason, (long long)verdict->bus_offset);
	print_list("peerbuf:", ours);
	print_list("the kernel:", theirs);
	printf("\n");
}

static void compare_pair(int test, const struct fabric_lender *provider,
			 const struct fabric_lender *importer,
			 struct fabric_addresses *count)
{
	struct list ours = {}, theirs = {};
	struct peerbuf_verdict verdict;
	bool masked, good;

	must(pb_route(&provider->device.function, &importer->device.function,
		      &verdict));
	masked = verdict.reason == PEERBUF_REASON_DMA_MASK;
	ask_peerbuf(test, provider, importer, &ours);
	good = keeps_promise(provider, &verdict, &ours);
	/* dma_buf_phys_vec_to_sgt() does not look at the mask of a bus route */
	if (!masked) {
		ask_kernel(test, provider, importer, &theirs);
		good = good && same_addresses(&ours, &theirs);
	}
	count->pairs++;
	count->mapped[verdict.route]++;
	count->masked += masked;
	if (!good && count->different++ < MAX_MESSAGES)
		explain(provider, importer, &verdict, &ours, &theirs);
}

/**
 * fabric_compare_addresses() - all pairs of lenders
 * @test: of pb_open_test()
 * @lenders: of fabric_lend()
 * @count: added to
 */
void fabric_compare_addresses(int test, const struct fabric_lenders *lenders,
			      struct fabric_addresses *count)
{
	unsigned int i, j;

	for (i = 0; i < lenders->nr; i++)
		for (j = 0; j < lenders->nr; j++)
			compare_pair(test, &lenders->lenders[i],
				     &lenders->lenders[j], count);
}
