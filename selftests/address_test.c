// SPDX-License-Identifier: GPL-2.0-only
/*
 * peerbuf's addresses against the kernel's own: for every pair that
 * dma_buf_phys_vec_to_sgt() accepts, both come to the same, by different code.
 */
#include <fcntl.h>
#include <kselftest_harness.h>

#include "peerbuf_lib.h"

#define MAX_SEGMENTS	64

FIXTURE(address) {
	struct pb_device functions[4];	/* two providers, two importers */
	int test;
};

FIXTURE_SETUP(address)
{
	int i;

	for (i = 0; i < 2; i++) {
		self->functions[i] = pb_provider(i);
		self->functions[2 + i] = pb_importer(i);
	}
	self->test = must(pb_open_test());
}

FIXTURE_TEARDOWN(address)
{
	close(self->test);
}

struct layout {
	unsigned int nr;
	struct peerbuf_range ranges[4];
};

static const struct layout layouts[] = {
	{ 1, { { 0, PAGE } } },
	{ 1, { { MIB(3), MIB(2) } } },
	{ 1, { { 0, MIB(16) } } },
	{ 2, { { PAGE, PAGE }, { 2 * PAGE, PAGE } } },
	{ 2, { { MIB(8), PAGE }, { MIB(4), 3 * PAGE } } },
	{ 4, { { MIB(15), MIB(1) }, { 0, PAGE }, { MIB(7), KIB(68) },
	       { 9 * PAGE, PAGE } } },
};

struct list {
	unsigned int nr;
	struct peerbuf_test_segment segments[MAX_SEGMENTS];
};

/* Where every page of the buffer is: behind the IOMMU if there is one. */
static __u64 place(const struct list *list, __u64 offset)
{
	const struct peerbuf_test_segment *segment;

	for (segment = list->segments; segment < list->segments + list->nr;
	     segment++) {
		if (offset < segment->length)
			return (segment->phys ?: segment->address) + offset;
		offset -= segment->length;
	}
	return 0;
}

static __u64 total(const struct list *list)
{
	__u64 sum = 0;
	unsigned int i;

	for (i = 0; i < list->nr; i++)
		sum += list->segments[i].length;
	return sum;
}

static int ask_peerbuf(int test, const struct pb_device *provider,
		       const struct pb_device *importer,
		       const struct layout *layout, struct list *list)
{
	int node = must(pb_open_node(provider, O_RDWR));
	int dmabuf = must(pb_export_ranges(node, 0, layout->ranges, layout->nr,
					   0, NULL));
	struct peerbuf_test_map_info info;
	unsigned int handle;
	int ret;

	ret = pb_test_attach(test, dmabuf, importer, PEERBUF_TEST_REVOCABLE, 0,
			     &handle);
	if (!ret) {
		must(pb_test_call(test, PEERBUF_TEST_MAP, handle));
		must(pb_test_map_info(test, handle, &info, list->segments,
				      MAX_SEGMENTS));
		list->nr = info.nr_segments;
		must(pb_test_call(test, PEERBUF_TEST_DETACH, handle));
	}
	close(dmabuf);
	close(node);
	return ret;
}

static int ask_kernel_by_range(int test, const struct pb_device *provider,
			       const struct pb_device *importer,
			       const struct layout *layout, struct list *list)
{
	unsigned int i, nr;
	int ret = 0;

	list->nr = 0;
	for (i = 0; i < layout->nr && !ret; i++) {
		nr = MAX_SEGMENTS - list->nr;
		ret = pb_test_oracle(test, provider, 2, importer,
				     &layout->ranges[i], 1, true,
				     list->segments + list->nr, &nr);
		list->nr += nr;
	}
	return ret;
}

/*
 * With an IOMMU, dma_buf_phys_vec_to_sgt() of 7.3 links every range at the start
 * of its IOVA space, and so fails with EADDRINUSE on the second.
 */
static int ask_kernel(int test, const struct pb_device *provider,
		      const struct pb_device *importer,
		      const struct layout *layout, struct list *list)
{
	int ret;

	list->nr = MAX_SEGMENTS;
	ret = pb_test_oracle(test, provider, 2, importer, layout->ranges,
			     layout->nr, true, list->segments, &list->nr);
	if (ret == -EADDRINUSE)
		ret = ask_kernel_by_range(test, provider, importer, layout,
					  list);
	return ret;
}

static void compare(struct __test_metadata *_metadata, const struct list *ours,
		    const struct list *theirs)
{
	__u64 offset;

	ASSERT_EQ(total(theirs), total(ours));
	for (offset = 0; offset < total(ours); offset += PAGE)
		ASSERT_EQ(place(theirs, offset), place(ours, offset))
			TH_LOG("page at %#llx of the buffer", offset);
	/* Without translation the lists are the same, segment by segment. */
	if (!ours->segments[0].phys) {
		ASSERT_EQ(theirs->nr, ours->nr);
		ASSERT_EQ(0, memcmp(theirs->segments, ours->segments,
				    ours->nr * sizeof(ours->segments[0])));
	}
}

/*
 * The kernel says EINVAL for no route. It knows nothing of bridges that the
 * administrator trusts, and in such a topology all but a function itself is
 * behind one.
 */
static int expected(bool itself, int kernels)
{
	if (kernels != -EINVAL)
		return kernels;
	return pb_expect()->admin && !itself ? 0 : -EOPNOTSUPP;
}

TEST_F(address, peerbuf_and_the_kernel_agree)
{
	const struct layout *layout;
	struct list ours, theirs;
	int i, j, mine, kernels;

	for (i = 0; i < 2; i++) {
		for (j = 0; j < 4; j++) {
			layout = layouts;
			for (; layout < layouts + ARRAY_SIZE(layouts);
			     layout++) {
				struct pb_device *from = &self->functions[i];
				struct pb_device *by = &self->functions[j];

				kernels = ask_kernel(self->test, from, by,
						     layout, &theirs);
				mine = ask_peerbuf(self->test, from, by,
						   layout, &ours);
				EXPECT_EQ(expected(i == j, kernels), mine)
					TH_LOG("%s for %s, layout %zu",
					       from->name, by->name,
					       layout - layouts);
				if (!mine && !kernels)
					compare(_metadata, &ours, &theirs);
			}
		}
	}
}

/* The oracle is asked, and says what the topology is known to do. */
TEST_F(address, the_kernel_agrees_with_the_topology)
{
	const bool none = pb_expect()->route == PEERBUF_ROUTE_NONE ||
			  pb_expect()->admin;
	struct list theirs;
	int i, j;

	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, ask_kernel(self->test, &self->functions[i],
					&self->functions[i], &layouts[0],
					&theirs));
		for (j = 2; j < 4; j++)
			EXPECT_EQ(none ? -EINVAL : 0,
				  ask_kernel(self->test, &self->functions[i],
					     &self->functions[j], &layouts[0],
					     &theirs));
	}
}

/* And the memory behind them is the BAR's, range by range. */
TEST_F(address, lead_to_the_bar)
{
	const struct layout *layout = &layouts[ARRAY_SIZE(layouts) - 1];
	const struct pb_device *provider = &self->functions[0];
	struct pb_device importer = pb_usable_importer(provider);
	struct list ours;
	__u64 start, length, at = 0;
	unsigned int i;

	must(pb_bar(provider, 2, &start, &length));
	must(ask_peerbuf(self->test, provider, &importer, layout, &ours));
	for (i = 0; i < layout->nr; i++) {
		EXPECT_EQ(start + layout->ranges[i].offset, place(&ours, at));
		at += layout->ranges[i].length;
		EXPECT_EQ(start + layout->ranges[i].offset +
				  layout->ranges[i].length - PAGE,
			  place(&ours, at - PAGE));
	}
	EXPECT_EQ(at, total(&ours));
	EXPECT_EQ(pb_expect()->iommu, !!ours.segments[0].phys);
}

TEST_HARNESS_MAIN
