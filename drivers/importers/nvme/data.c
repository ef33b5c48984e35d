// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the data of a command lies, in the two ways that a controller takes it
 * (NVMe Base Specification 2.0, 4.1.1 and 4.1.2).
 *
 * PRP: addresses of pages. The first may begin anywhere in a page, at a multiple
 * of 4 bytes; all others begin where a page does; so each but the last ends where
 * a page does. The second is in the command, or else there is a list of them.
 *
 * SGL: addresses and lengths. One is in the command, more are in a segment.
 *
 * Both are filled as far as they go, which is then cut to whole blocks: what is
 * left is another command's. There are no pages behind the addresses.
 */

#include <linux/align.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>

#include "nvme.h"

/* A segment is to be fetched and decoded: for small pieces, a PRP list is less */
#define SGL_PIECE	SZ_32K

static bool use_sgl = true;
module_param_named(sgl, use_sgl, bool, 0644);
MODULE_PARM_DESC(sgl, "Use scatter gather lists where the controller takes them (default on)");

/**
 * pnvme_cursor_seek() - go to a place in a mapping
 * @cursor: what is set
 * @sgt: the mapping
 * @offset: bytes from its start
 *
 * Return: 0; -ERANGE, the mapping ends before.
 */
int pnvme_cursor_seek(struct pnvme_cursor *cursor, struct sg_table *sgt,
		      u64 offset)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (offset < sg_dma_len(sg)) {
			cursor->sg = sg;
			cursor->entries = sgt->nents - i;
			cursor->used = offset;
			return 0;
		}
		offset -= sg_dma_len(sg);
	}
	return -ERANGE;
}

static dma_addr_t cursor_address(const struct pnvme_cursor *cursor)
{
	return sg_dma_address(cursor->sg) + cursor->used;
}

static void cursor_skip(struct pnvme_cursor *cursor, unsigned int bytes)
{
	cursor->used += bytes;
	while (cursor->entries && cursor->used == sg_dma_len(cursor->sg)) {
		cursor->used = 0;
		if (--cursor->entries)
			cursor->sg = sg_next(cursor->sg);
	}
}

/* Go on by up to @most contiguous bytes. Return: how many there were. */
static size_t cursor_take(struct pnvme_cursor *cursor, size_t most)
{
	dma_addr_t next = cursor_address(cursor);
	size_t taken = 0;

	while (cursor->entries && taken < most &&
	       cursor_address(cursor) == next) {
		size_t piece = min(sg_dma_len(cursor->sg) - cursor->used,
				   most - taken);

		cursor_skip(cursor, piece);
		taken += piece;
		next += piece;
	}
	return taken;
}

/* Put PRPs for up to @length bytes into @slot. Return: for how many. */
static size_t fill_prps(struct pnvme_slot *slot, struct pnvme_cursor cursor,
			size_t length)
{
	union nvme_data_ptr *dptr = &slot->command.rw.dptr;
	__le64 *list = slot->list;
	unsigned int nr = 0;
	size_t done = 0;

	dptr->prp2 = 0;
	while (done < length && cursor.entries && nr <= PNVME_MAX_PRPS) {
		dma_addr_t address = cursor_address(&cursor);
		u32 in_page = address % PNVME_PAGE;
		size_t taken;

		if (in_page & (nr ? PNVME_PAGE - 1 : sizeof(u32) - 1))
			break;
		taken = cursor_take(&cursor, min_t(size_t, length - done,
						   PNVME_PAGE - in_page));
		if (nr)
			list[nr - 1] = cpu_to_le64(address);
		else
			dptr->prp1 = cpu_to_le64(address);
		nr++;
		done += taken;
		if (in_page + taken != PNVME_PAGE)
			break;
	}

	if (nr == 2)
		dptr->prp2 = list[0];
	else if (nr > 2)
		dptr->prp2 = cpu_to_le64(slot->list_dma);
	slot->command.rw.flags = 0;
	return done;
}

/* Put an SGL of up to @most pieces into @slot. Return: for how many bytes. */
static size_t fill_sgl(struct pnvme_slot *slot, struct pnvme_cursor cursor,
		       size_t length, unsigned int most)
{
	struct nvme_sgl_desc *inlined = &slot->command.rw.dptr.sgl;
	unsigned int align = slot->queue->ctrl->sgl_align;
	struct nvme_sgl_desc *list = slot->list;
	unsigned int nr = 0;
	size_t done = 0;

	while (done < length && cursor.entries && nr < most) {
		dma_addr_t address = cursor_address(&cursor);
		size_t taken = cursor_take(&cursor, length - done);

		if ((address | taken) & align)
			break;
		list[nr++] = (struct nvme_sgl_desc) {
			.addr = cpu_to_le64(address),
			.length = cpu_to_le32(taken),
			.type = NVME_SGL_FMT_DATA_DESC << 4,
		};
		done += taken;
	}

	if (nr == 1)
		*inlined = list[0];
	else
		*inlined = (struct nvme_sgl_desc) {
			.addr = cpu_to_le64(slot->list_dma),
			.length = cpu_to_le32(nr * sizeof(*list)),
			.type = NVME_SGL_FMT_LAST_SEG_DESC << 4,
		};
	slot->command.rw.flags = NVME_CMD_SGL_METABUF;
	return done;
}

/* Either describes whole blocks, and no byte more. */
static size_t map_prps(struct pnvme_slot *slot,
		       const struct pnvme_cursor *cursor, size_t length,
		       size_t block)
{
	size_t done = fill_prps(slot, *cursor, length);
	size_t whole = round_down(done, block);

	if (whole && whole < done)
		fill_prps(slot, *cursor, whole);
	return whole;
}

static size_t map_sgl(struct pnvme_slot *slot,
		      const struct pnvme_cursor *cursor, size_t length,
		      size_t block)
{
	size_t done = fill_sgl(slot, *cursor, length, PNVME_MAX_SGLS);
	size_t whole = round_down(done, block);

	if (whole && whole < done)
		fill_sgl(slot, *cursor, whole, PNVME_MAX_SGLS);
	return whole;
}

static size_t choose(struct pnvme_slot *slot,
		     const struct pnvme_cursor *cursor, size_t length,
		     size_t block)
{
	bool sgl = use_sgl && slot->queue->ctrl->sgl_align >= 0;
	unsigned int pieces = max_t(size_t, length / SGL_PIECE, 1);
	size_t done, more;

	/* Two PRPs need no list, and an SGL is only better if pieces are large. */
	if (sgl && length > PNVME_PAGE &&
	    fill_sgl(slot, *cursor, length, pieces) == length)
		return length;

	done = map_prps(slot, cursor, length, block);
	if (done == length || !sgl)
		return done;

	/* PRPs stop where memory breaks within a page. */
	more = map_sgl(slot, cursor, length, block);
	return more > done ? more : map_prps(slot, cursor, length, block);
}

/**
 * pnvme_data_map() - tell a command where its data is
 * @slot: whose command's data pointer and flags are set
 * @cursor: where the data begins; moved to behind what was described
 * @length: bytes, whole blocks, at most %PNVME_MAX_TRANSFER
 * @block: bytes of a block
 *
 * Context: Any; the mapping that @cursor is in does not change.
 * Return: bytes that were described: whole blocks, up to @length; 0, not even
 * one block can be.
 */
size_t pnvme_data_map(struct pnvme_slot *slot, struct pnvme_cursor *cursor,
		      size_t length, size_t block)
{
	size_t done = choose(slot, cursor, length, block);
	size_t skipped = 0;

	while (skipped < done) {
		size_t piece = min(sg_dma_len(cursor->sg) - cursor->used,
				   done - skipped);

		cursor_skip(cursor, piece);
		skipped += piece;
	}
	return done;
}
