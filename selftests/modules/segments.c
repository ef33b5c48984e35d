// SPDX-License-Identifier: GPL-2.0-only
/* peerbuf_test: a mapped sg_table as a list for user space. */
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "test.h"

struct segment_list {
	struct peerbuf_test_segment *segments;
	u32 used;
	u32 room;
};

static bool segment_continues(const struct peerbuf_test_segment *last,
			      dma_addr_t address, phys_addr_t phys)
{
	if (last->address + last->length != address)
		return false;
	return last->phys ? last->phys + last->length == phys : !phys;
}

static int segment_add(struct segment_list *list, dma_addr_t address,
		       phys_addr_t phys, size_t length)
{
	struct peerbuf_test_segment *last = list->segments + list->used - 1;

	if (list->used && segment_continues(last, address, phys)) {
		last->length += length;
		return 0;
	}
	if (list->used == list->room)
		return -ENOSPC;
	list->segments[list->used].address = address;
	list->segments[list->used].phys = phys;
	list->segments[list->used].length = length;
	list->used++;
	return 0;
}

/* With an IOMMU, memory may be cut differently than addresses: go by pages. */
static int segment_translate(struct segment_list *list,
			     struct iommu_domain *domain, dma_addr_t address,
			     size_t length)
{
	size_t done;
	int ret = 0;

	for (done = 0; done < length && !ret; done += PAGE_SIZE)
		ret = segment_add(list, address + done,
				  iommu_iova_to_phys(domain, address + done),
				  min_t(size_t, PAGE_SIZE, length - done));
	return ret;
}

/**
 * test_segments_alloc() - room for a list
 * @nr: entries, at most %TEST_MAX_SEGMENTS
 *
 * The list is made under the reservation lock, where user space may not be
 * touched, and is copied out after it.
 *
 * Return: the list or an error pointer.
 */
struct peerbuf_test_segment *test_segments_alloc(u32 nr)
{
	struct peerbuf_test_segment *segments;

	if (nr > TEST_MAX_SEGMENTS)
		return ERR_PTR(-E2BIG);
	segments = kvcalloc(max(nr, 1U), sizeof(*segments), GFP_KERNEL);
	return segments ?: ERR_PTR(-ENOMEM);
}

/**
 * test_segments_fill() - list a mapped sg_table
 * @importer: the device that it is mapped for
 * @sgt: the table
 * @segments: from test_segments_alloc()
 * @nr: in: room there; out: entries written
 *
 * Neighbours that are contiguous both for the device and in memory are joined,
 * so that two tables that mean the same give the same list.
 *
 * Return: 0 or -ENOSPC.
 */
int test_segments_fill(struct device *importer, struct sg_table *sgt,
		       struct peerbuf_test_segment *segments, u32 *nr)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(importer);
	struct segment_list list = { .segments = segments, .room = *nr };
	struct scatterlist *sg;
	unsigned int i;
	int ret = 0;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (domain && (domain->type & __IOMMU_DOMAIN_PAGING))
			ret = segment_translate(&list, domain,
						sg_dma_address(sg),
						sg_dma_len(sg));
		else
			ret = segment_add(&list, sg_dma_address(sg), 0,
					  sg_dma_len(sg));
		if (ret)
			break;
	}
	*nr = list.used;
	return ret;
}

/**
 * test_segments_finish() - copy a list out, and free it
 * @segments: from test_segments_alloc()
 * @user: address of &struct peerbuf_test_segment in user space
 * @nr: entries
 * @ret: what the work in between returned
 *
 * Return: @ret if that is an error, 0, or -EFAULT.
 */
int test_segments_finish(struct peerbuf_test_segment *segments, u64 user,
			 u32 nr, int ret)
{
	if (!ret && copy_to_user(u64_to_user_ptr(user), segments,
				 array_size(nr, sizeof(*segments))))
		ret = -EFAULT;
	kvfree(segments);
	return ret;
}
