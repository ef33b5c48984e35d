// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapping: a verdict becomes the addresses that the importer uses. The only
 * file that makes addresses.
 *
 * The tables have a DMA list and no CPU list: no struct page stands behind the
 * memory, so the page links are NULL and orig_nents is 0.
 */
#include <kunit/visibility.h>
#include <linux/align.h>
#include <linux/dma-mapping.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "buffer.h"
#include "map.h"
#include "trace.h"

/**
 * struct peerbuf_mapping - one mapped buffer
 * @sgt: what the importer sees, split to its limits
 * @route: &enum peerbuf_route
 * @nr_extents: how many of @extents are mapped
 * @extents: what the DMA API was asked for, to be undone
 */
struct peerbuf_mapping {
	struct sg_table sgt;
	u32 route;
	u32 nr_extents;
	struct {
		dma_addr_t address;
		size_t length;
	} extents[];
};

/**
 * peerbuf_segment_length - how long the next scatterlist entry may be
 * @limits: of the importer
 * @address: where the entry starts
 * @remaining: bytes that are left, not zero
 *
 * Context: any.
 *
 * Return: bytes, at least one and at most @remaining.
 */
u64 peerbuf_segment_length(const struct peerbuf_segment_limits *limits,
			   u64 address, u64 remaining)
{
	u64 to_boundary = limits->boundary - (address & limits->boundary);

	/* compared before the increment, which wraps for a 64-bit boundary */
	if (to_boundary < min(remaining, limits->max_length))
		return to_boundary + 1;

	return min(remaining, limits->max_length);
}
EXPORT_SYMBOL_IF_KUNIT(peerbuf_segment_length);

static struct peerbuf_segment_limits read_limits(struct device *importer)
{
	/* sg_dma_len() is an unsigned int; entries stay whole pages */
	u64 max_length = min_t(u64, dma_get_max_seg_size(importer), UINT_MAX);

	return (struct peerbuf_segment_limits) {
		.max_length = max_t(u64, ALIGN_DOWN(max_length, PAGE_SIZE),
				    PAGE_SIZE),
		.boundary = max_t(u64, dma_get_seg_boundary(importer),
				  PAGE_SIZE - 1),
	};
}

static int count_segments(const struct peerbuf_mapping *mapping,
			  const struct peerbuf_segment_limits *limits,
			  unsigned int *count)
{
	u64 address, left, length;
	u32 i;

	*count = 0;
	for (i = 0; i < mapping->nr_extents; i++) {
		address = mapping->extents[i].address;
		for (left = mapping->extents[i].length; left; left -= length) {
			length = peerbuf_segment_length(limits, address, left);
			address += length;
			if (check_add_overflow(*count, 1, count))
				return -EOVERFLOW;
		}
	}

	return 0;
}

static void fill_segments(struct peerbuf_mapping *mapping,
			  const struct peerbuf_segment_limits *limits)
{
	struct scatterlist *sg = mapping->sgt.sgl;
	u64 address, left, length;
	u32 i;

	for (i = 0; i < mapping->nr_extents; i++) {
		address = mapping->extents[i].address;
		for (left = mapping->extents[i].length; left; left -= length) {
			length = peerbuf_segment_length(limits, address, left);
			sg_set_page(sg, NULL, 0, 0);
			sg_dma_address(sg) = address;
			sg_dma_len(sg) = length;
			address += length;
			sg = sg_next(sg);
		}
	}

	mapping->sgt.orig_nents = 0;
}

/*
 * The kernel's helper for bus addresses does not look at the mask
 * (dma_buf_phys_vec_to_sgt() in 7.3), and the importer's may have shrunk since
 * it attached.
 */
static int map_bus(struct device *importer, u64 address, size_t length,
		   dma_addr_t *result)
{
	if (address + length - 1 > dma_get_mask(importer))
		return -EOPNOTSUPP;

	*result = address;
	return 0;
}

static int map_host(struct device *importer, phys_addr_t phys, size_t length,
		    enum dma_data_direction dir, dma_addr_t *result)
{
	*result = dma_map_phys(importer, phys, length, dir, DMA_ATTR_MMIO);

	/* dma_mapping_error() knows only -ENOMEM, which this need not be */
	return dma_mapping_error(importer, *result) ? -EIO : 0;
}

static void unmap_extents(struct device *importer,
			  struct peerbuf_mapping *mapping,
			  enum dma_data_direction dir)
{
	u32 i;

	if (mapping->route != PEERBUF_ROUTE_HOST)
		return;

	for (i = 0; i < mapping->nr_extents; i++)
		dma_unmap_phys(importer, mapping->extents[i].address,
			       mapping->extents[i].length, dir, DMA_ATTR_MMIO);
}

static int map_extents(const struct peerbuf_buffer *buffer,
		       struct device *importer,
		       const struct peerbuf_verdict *verdict,
		       enum dma_data_direction dir,
		       struct peerbuf_mapping *mapping)
{
	const struct peerbuf_extent *extent;
	dma_addr_t *address;
	phys_addr_t phys;
	u32 i;
	int ret;

	for (i = 0; i < buffer->nr_extents; i++) {
		extent = &buffer->extents[i];
		address = &mapping->extents[i].address;
		phys = buffer->window->phys + extent->offset;

		if (verdict->route == PEERBUF_ROUTE_BUS)
			ret = map_bus(importer, phys + verdict->bus_offset,
				      extent->length, address);
		else
			ret = map_host(importer, phys, extent->length, dir,
				       address);
		if (ret)
			return ret;

		mapping->extents[i].length = extent->length;
		mapping->nr_extents++;
		trace_peerbuf_address(buffer, importer, phys, *address,
				      extent->length);
	}

	return 0;
}

static int make_table(struct device *importer, struct peerbuf_mapping *mapping)
{
	struct peerbuf_segment_limits limits = read_limits(importer);
	unsigned int count;
	int ret;

	ret = count_segments(mapping, &limits, &count);
	if (ret)
		return ret;

	ret = sg_alloc_table(&mapping->sgt, count, GFP_KERNEL);
	if (ret)
		return ret;

	fill_segments(mapping, &limits);
	return 0;
}

/**
 * peerbuf_map - make the addresses of a buffer for an importer
 * @buffer: the buffer, not revoked
 * @importer: the device that will do the DMA
 * @verdict: of its attach, a bus or host route
 * @dir: direction of the DMA
 *
 * Cost grows with the number of extents, and of entries where an extent is
 * longer than the importer's limit. Reads no config space.
 *
 * Context: process, may sleep; the dma-buf's dma_resv held.
 *
 * Return: the table, for peerbuf_unmap(); or an ERR_PTR of -ENOMEM, -EIO (the
 * DMA API refused), -EOPNOTSUPP (beyond the DMA mask), -EOVERFLOW.
 */
struct sg_table *peerbuf_map(struct peerbuf_buffer *buffer,
			     struct device *importer,
			     const struct peerbuf_verdict *verdict,
			     enum dma_data_direction dir)
{
	struct peerbuf_mapping *mapping;
	int ret;

	mapping = kvzalloc(struct_size(mapping, extents, buffer->nr_extents),
			   GFP_KERNEL);
	if (!mapping)
		return ERR_PTR(-ENOMEM);
	mapping->route = verdict->route;

	ret = map_extents(buffer, importer, verdict, dir, mapping);
	if (!ret)
		ret = make_table(importer, mapping);
	if (ret) {
		unmap_extents(importer, mapping, dir);
		kvfree(mapping);
		return ERR_PTR(ret);
	}

	return &mapping->sgt;
}

/**
 * peerbuf_unmap - undo peerbuf_map()
 * @importer: the same device
 * @sgt: the table
 * @dir: the same direction
 *
 * Context: process, may sleep; the dma-buf's dma_resv held.
 */
void peerbuf_unmap(struct device *importer, struct sg_table *sgt,
		   enum dma_data_direction dir)
{
	struct peerbuf_mapping *mapping;

	mapping = container_of(sgt, struct peerbuf_mapping, sgt);
	unmap_extents(importer, mapping, dir);
	/* sg_free_table() goes by the CPU list, which there is none of */
	mapping->sgt.orig_nents = mapping->sgt.nents;
	sg_free_table(&mapping->sgt);
	kvfree(mapping);
}
