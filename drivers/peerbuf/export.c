// SPDX-License-Identifier: GPL-2.0-only
/*
 * Export: a buffer as a dma-buf. Knows the dma-buf contract and who is attached;
 * where devices sit is for routing, what addresses they get is for mapping.
 */
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "account.h"
#include "buffer.h"
#include "cpu_access.h"
#include "export.h"
#include "import.h"
#include "map.h"
#include "provider.h"
#include "topology.h"
#include "trace.h"
#include "watch.h"

/**
 * struct peerbuf_attachment - what an accepted attach decided
 * @verdict: how the importer reaches the memory; constant
 * @maps: mappings that exist; protected by the dma-buf's dma_resv
 * @since: when the first of @maps was made, boot time; protected as @maps
 * @dismissed: the importer's driver is going; no more maps. Protected as @maps
 * @named: a stop has named it as one that cannot give back; protected as @maps
 * @dirs: @maps by &enum dma_data_direction; protected as @maps
 */
struct peerbuf_attachment {
	struct peerbuf_verdict verdict;
	unsigned int maps;
	ktime_t since;
	bool dismissed;
	bool named;
	unsigned int dirs[DMA_FROM_DEVICE + 1];
};

static enum peerbuf_class
attachment_class(const struct dma_buf_attachment *attach)
{
	if (!attach->peer2peer)
		return PEERBUF_CLASS_STATIC;

	return attach->importer_ops->invalidate_mappings ?
		       PEERBUF_CLASS_REVOCABLE : PEERBUF_CLASS_PINNED;
}

static void refuse(struct peerbuf_verdict *verdict, enum peerbuf_reason reason)
{
	memset(verdict, 0, sizeof(*verdict));
	verdict->route = PEERBUF_ROUTE_NONE;
	verdict->reason = reason;
	verdict->distance = -1;
}

static int route_live(struct peerbuf_buffer *buffer,
		      struct dma_buf_attachment *attach,
		      struct peerbuf_verdict *verdict)
{
	struct peerbuf_window *window = buffer->window;
	struct peerbuf_facts facts = {
		.class = attachment_class(attach),
		.allow_pinned = buffer->flags & PEERBUF_EXPORT_ALLOW_PINNED,
		.allow_static = buffer->flags & PEERBUF_EXPORT_ALLOW_STATIC &&
				READ_ONCE(window->allow_static),
		.direct = buffer->flags & PEERBUF_EXPORT_DIRECT,
		.phys_last = peerbuf_buffer_last_phys(buffer),
		.bus_offset = window->bus - window->phys,
	};
	int ret;

	ret = peerbuf_topology_read(buffer->provider->pdev, attach->dev,
				    &facts);
	if (!ret)
		peerbuf_route(&facts, verdict);
	peerbuf_topology_free(&facts);

	return ret;
}

/* A race with a revoke or a stop is settled when the importer maps. */
static bool refuse_unusable(struct peerbuf_buffer *buffer,
			    struct peerbuf_verdict *verdict)
{
	int error = peerbuf_buffer_usable(buffer);

	if (error)
		refuse(verdict, error == -EAGAIN ? PEERBUF_REASON_STOPPED :
						   PEERBUF_REASON_REVOKED);
	return error;
}

static int route_attachment(struct peerbuf_buffer *buffer,
			    struct dma_buf_attachment *attach,
			    struct peerbuf_verdict *verdict)
{
	u64 generation = peerbuf_status_read(buffer->status).generation;
	int ret = 0;

	if (!peerbuf_provider_enter(buffer->provider)) {
		refuse(verdict, PEERBUF_REASON_PROVIDER_GONE);
		return 0;
	}

	if (!refuse_unusable(buffer, verdict)) {
		ret = route_live(buffer, attach, verdict);
		/* in a reset, ports have lost the ACS settings we read */
		if (!ret && !refuse_unusable(buffer, verdict) &&
		    peerbuf_status_read(buffer->status).generation !=
		    generation)
			refuse(verdict, PEERBUF_REASON_STOPPED);
	}

	peerbuf_provider_leave(buffer->provider);
	return ret;
}

/* Who looks into the kernel log for the reason should find it there. */
static void log_refusal(struct peerbuf_buffer *buffer, struct device *importer,
			const struct peerbuf_verdict *verdict)
{
	if (verdict->flags & PEERBUF_VERDICT_BLOCKER)
		pci_notice_ratelimited(buffer->provider->pdev,
				       "buffer %llu: %s refused: %s (%04x:%02x:%02x.%x)\n",
				       buffer->id, dev_name(importer),
				       peerbuf_reason_text(verdict->reason),
				       verdict->blocker.domain,
				       verdict->blocker.bus,
				       PCI_SLOT(verdict->blocker.devfn),
				       PCI_FUNC(verdict->blocker.devfn));
	else
		pci_notice_ratelimited(buffer->provider->pdev,
				       "buffer %llu: %s refused: %s\n",
				       buffer->id, dev_name(importer),
				       peerbuf_reason_text(verdict->reason));
}

static void report(struct peerbuf_buffer *buffer, struct device *importer,
		   const struct peerbuf_verdict *verdict, int error)
{
	trace_peerbuf_attach(buffer, importer, verdict, error);
	if (verdict->flags & PEERBUF_VERDICT_ADMIN)
		pci_notice_ratelimited(buffer->provider->pdev,
				       "buffer %llu: %s crosses a host bridge that only trusted_bridges= vouches for\n",
				       buffer->id, dev_name(importer));
	if (error)
		log_refusal(buffer, importer, verdict);
}

static int peerbuf_dmabuf_attach(struct dma_buf *dmabuf,
				 struct dma_buf_attachment *attach)
{
	struct peerbuf_buffer *buffer = dmabuf->priv;
	struct peerbuf_attachment *state;
	int ret;

	state = kzalloc_obj(*state);
	if (!state)
		return -ENOMEM;

	ret = route_attachment(buffer, attach, &state->verdict);
	if (!ret) {
		ret = peerbuf_route_errno(&state->verdict);
		report(buffer, attach->dev, &state->verdict, ret);
		if (ret)
			peerbuf_count_refused(buffer->window,
					      state->verdict.reason);
	}
	if (ret) {
		kfree(state);
		return ret;
	}

	attach->priv = state;
	return 0;
}

static void peerbuf_dmabuf_detach(struct dma_buf *dmabuf,
				  struct dma_buf_attachment *attach)
{
	struct peerbuf_buffer *buffer = dmabuf->priv;
	struct peerbuf_attachment *state = attach->priv;

	trace_peerbuf_detach(buffer, attach->dev);
	/* an importer that detaches with mappings can never give them back */
	WARN_ON(state->maps);
	kfree(state);
}

/* BAR memory does not move, so there is nothing to do but to be there. */
static int peerbuf_dmabuf_pin(struct dma_buf_attachment *attach)
{
	struct peerbuf_buffer *buffer = attach->dmabuf->priv;

	dma_resv_assert_held(attach->dmabuf->resv);
	return peerbuf_buffer_usable(buffer);
}

static void peerbuf_dmabuf_unpin(struct dma_buf_attachment *attach)
{
	dma_resv_assert_held(attach->dmabuf->resv);
}

static bool is_revocable(struct dma_buf_attachment *attach)
{
	return attachment_class(attach) == PEERBUF_CLASS_REVOCABLE;
}

/* Who may map at all is known since the attach; here is what the attach cannot. */
static int admit_map(struct dma_buf_attachment *attach,
		     enum dma_data_direction dir)
{
	struct peerbuf_buffer *buffer = attach->dmabuf->priv;
	struct peerbuf_verdict verdict;
	int error;

	if (!refuse_unusable(buffer, &verdict)) {
		if (!(buffer->flags & PEERBUF_EXPORT_READ_ONLY) ||
		    dir == DMA_TO_DEVICE)
			return 0;
		refuse(&verdict, PEERBUF_REASON_READ_ONLY);
	}

	error = peerbuf_route_errno(&verdict);
	trace_peerbuf_map_refused(buffer, attach->dev, dir, verdict.reason,
				  error);
	if (verdict.reason == PEERBUF_REASON_READ_ONLY)
		log_refusal(buffer, attach->dev, &verdict);
	return error;
}

static struct sg_table *
peerbuf_dmabuf_map(struct dma_buf_attachment *attach,
		   enum dma_data_direction dir)
{
	struct peerbuf_buffer *buffer = attach->dmabuf->priv;
	struct peerbuf_attachment *state = attach->priv;
	struct sg_table *sgt;
	int ret;

	dma_resv_assert_held(attach->dmabuf->resv);

	if (state->dismissed)
		return ERR_PTR(-ENODEV);
	ret = admit_map(attach, dir);
	if (ret)
		return ERR_PTR(ret);

	sgt = peerbuf_map(buffer, attach->dev, &state->verdict, dir);
	if (IS_ERR(sgt))
		return sgt;

	if (!state->maps++)
		state->since = ktime_get_boottime();
	state->dirs[dir]++;
	WRITE_ONCE(buffer->users, buffer->users + 1);
	atomic64_inc(&buffer->window->counters.maps);
	WRITE_ONCE(buffer->revocable,
		   buffer->revocable + is_revocable(attach));
	trace_peerbuf_map(buffer, attach->dev, dir, sgt->nents);
	return sgt;
}

static void peerbuf_dmabuf_unmap(struct dma_buf_attachment *attach,
				 struct sg_table *sgt,
				 enum dma_data_direction dir)
{
	struct peerbuf_buffer *buffer = attach->dmabuf->priv;
	struct peerbuf_attachment *state = attach->priv;

	dma_resv_assert_held(attach->dmabuf->resv);

	trace_peerbuf_unmap(buffer, attach->dev, dir, sgt->nents);
	peerbuf_unmap(attach->dev, sgt, dir);
	state->maps--;
	state->dirs[dir]--;
	atomic64_inc(&buffer->window->counters.unmaps);
	if (is_revocable(attach)) {
		WRITE_ONCE(buffer->revocable, buffer->revocable - 1);
		if (!buffer->revocable)
			wake_up_all(&buffer->idle);
	}
	peerbuf_buffer_unuse(buffer);
}

static void peerbuf_dmabuf_release(struct dma_buf *dmabuf)
{
	struct peerbuf_buffer *buffer = dmabuf->priv;

	trace_peerbuf_release(buffer);
	peerbuf_buffer_destroy(buffer);
}

#define PEERBUF_DMABUF_OPS				\
	.attach = peerbuf_dmabuf_attach,		\
	.detach = peerbuf_dmabuf_detach,		\
	.pin = peerbuf_dmabuf_pin,			\
	.unpin = peerbuf_dmabuf_unpin,			\
	.map_dma_buf = peerbuf_dmabuf_map,		\
	.unmap_dma_buf = peerbuf_dmabuf_unmap,		\
	.mmap = peerbuf_cpu_mmap,			\
	.begin_cpu_access = peerbuf_cpu_begin,		\
	.end_cpu_access = peerbuf_cpu_end,		\
	.vunmap = peerbuf_cpu_vunmap,			\
	.release = peerbuf_dmabuf_release

static const struct dma_buf_ops peerbuf_dmabuf_ops = {
	PEERBUF_DMABUF_OPS,
};

/*
 * For buffers that the kernel may map, while they are in use: dma_buf_vmap()
 * warns of an exporter's refusal, but not where there is nothing to ask.
 */
static const struct dma_buf_ops peerbuf_dmabuf_vmap_ops = {
	PEERBUF_DMABUF_OPS,
	.vmap = peerbuf_cpu_vmap,
};

/* A kernel mapping is in one piece, is writable, and cannot be taken back. */
static bool may_vmap(const struct peerbuf_buffer *buffer)
{
	return !(buffer->flags & PEERBUF_EXPORT_READ_ONLY) &&
	       buffer->flags & PEERBUF_EXPORT_ALLOW_PINNED &&
	       buffer->nr_extents == 1;
}

/**
 * peerbuf_export - make the dma-buf of a buffer
 * @buffer: complete, but for its dma-buf
 * @open_flags: O_RDONLY, O_WRONLY or O_RDWR, and O_CLOEXEC
 *
 * On success the buffer belongs to the dma-buf, of which the caller has the
 * only reference.
 *
 * Context: process, may sleep.
 *
 * Return: 0 or a negative errno.
 */
int peerbuf_export(struct peerbuf_buffer *buffer, u32 open_flags)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	info.ops = may_vmap(buffer) ? &peerbuf_dmabuf_vmap_ops :
				      &peerbuf_dmabuf_ops;
	info.size = buffer->length;
	info.flags = open_flags;
	info.priv = buffer;

	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	buffer->dmabuf = dmabuf;
	buffer->inode = file_inode(dmabuf->file);
	ihold(buffer->inode);
	trace_peerbuf_export(buffer);
	return 0;
}

/**
 * peerbuf_export_allow_vmap - admit kernel mappings, or none
 * @buffer: being revoked, stopped or started
 * @allow: whether it is in use; what the export does not allow stays forbidden
 *
 * Mappings that exist are not touched. The operations are replaced by others
 * that differ in nothing else, so whoever reads them at this time may see either.
 *
 * Context: process; the dma-buf's dma_resv held, as dma_buf_vmap() has it.
 */
void peerbuf_export_allow_vmap(struct peerbuf_buffer *buffer, bool allow)
{
	dma_resv_assert_held(buffer->dmabuf->resv);

	WRITE_ONCE(buffer->dmabuf->ops, allow && may_vmap(buffer) ?
						&peerbuf_dmabuf_vmap_ops :
						&peerbuf_dmabuf_ops);
}

/**
 * peerbuf_buffer_of_dmabuf - the buffer behind a dma-buf
 * @dmabuf: any exporter's
 *
 * Context: any.
 *
 * Return: the buffer, which lives as long as the dma-buf, or NULL.
 */
struct peerbuf_buffer *peerbuf_buffer_of_dmabuf(struct dma_buf *dmabuf)
{
	return dmabuf->ops->release == peerbuf_dmabuf_release ? dmabuf->priv :
								NULL;
}

/* No more maps, and those that exist are given back, if the driver can be told. */
static void dismiss(struct dma_buf_attachment *attach)
{
	struct peerbuf_attachment *state = attach->priv;

	state->dismissed = true;
	if (state->maps && attachment_class(attach) == PEERBUF_CLASS_REVOCABLE)
		attach->importer_ops->invalidate_mappings(attach);
}

/**
 * peerbuf_export_dismiss - take a buffer back from one importer, for good
 * @buffer: held by peerbuf_buffer_hold()
 * @importer: the device
 *
 * Nobody else is told: an importer need not be able to map again. Importers on
 * peerbuf's own lifecycle are left alone: they give back when they end, and know
 * better why.
 *
 * Context: process, may sleep; takes the dma-buf's dma_resv.
 */
void peerbuf_export_dismiss(struct peerbuf_buffer *buffer,
			    const struct device *importer)
{
	struct dma_buf_attachment *attach;

	dma_resv_lock(buffer->dmabuf->resv, NULL);
	list_for_each_entry(attach, &buffer->dmabuf->attachments, node) {
		if (attach->dev == importer && !peerbuf_import_owns(attach))
			dismiss(attach);
	}
	dma_resv_unlock(buffer->dmabuf->resv);
}

static void log_attachment(struct peerbuf_buffer *buffer,
			   struct dma_buf_attachment *attach, const char *how)
{
	struct peerbuf_attachment *state = attach->priv;
	s64 age = ktime_ms_delta(ktime_get_boottime(), state->since);

	pci_warn(buffer->provider->pdev,
		 "buffer %llu is %s, %s has had it mapped for %lld s%s\n",
		 buffer->id, how, dev_name(attach->dev), age / MSEC_PER_SEC,
		 is_revocable(attach) ? "" : " and cannot give it back");
}

/**
 * peerbuf_export_count - count who uses a buffer
 * @buffer: held by peerbuf_buffer_hold()
 * @entry: number of importers, their mappings, and bytes of these are filled in
 *
 * Context: the dma-buf's dma_resv held.
 */
void peerbuf_export_count(struct peerbuf_buffer *buffer,
			  struct peerbuf_buffer_entry *entry)
{
	const struct peerbuf_attachment *state;
	struct dma_buf_attachment *attach;

	dma_resv_assert_held(buffer->dmabuf->resv);

	list_for_each_entry(attach, &buffer->dmabuf->attachments, node) {
		state = attach->priv;
		entry->nr_importers++;
		entry->nr_maps += state->maps;
		entry->mapped += state->maps * buffer->length;
	}
}

static u32 used_access(const struct peerbuf_attachment *state)
{
	u32 access = 0;

	if (state->dirs[DMA_TO_DEVICE] || state->dirs[DMA_BIDIRECTIONAL])
		access |= PEERBUF_ACCESS_READ;
	if (state->dirs[DMA_FROM_DEVICE] || state->dirs[DMA_BIDIRECTIONAL])
		access |= PEERBUF_ACCESS_WRITE;

	return access;
}

/**
 * peerbuf_export_describe - what there is to know about an importer
 * @attach: attached to a buffer
 * @entry: zeroed, filled in
 *
 * Context: the dma-buf's dma_resv held.
 */
void peerbuf_export_describe(const struct dma_buf_attachment *attach,
			     struct peerbuf_holder_entry *entry)
{
	const struct peerbuf_buffer *buffer = attach->dmabuf->priv;
	const struct peerbuf_attachment *state = attach->priv;

	dma_resv_assert_held(attach->dmabuf->resv);

	strscpy_pad(entry->device, dev_name(attach->dev));
	if (dev_is_pci(attach->dev)) {
		entry->flags = PEERBUF_HOLDER_PCI;
		entry->function = peerbuf_pci_function(to_pci_dev(attach->dev));
	}
	entry->verdict = state->verdict;
	entry->importer_class = attachment_class(attach);
	entry->access = used_access(state);
	entry->nr_maps = state->maps;
	entry->mapped = state->maps * buffer->length;
	if (state->maps)
		entry->since = ktime_to_ns(state->since);
}

/**
 * peerbuf_log_attachments - say who still has a buffer mapped
 * @buffer: held by peerbuf_buffer_hold()
 * @stop: of those who cannot give it back, only who has not been named so before
 *
 * Context: process, may sleep; takes the dma-buf's dma_resv.
 */
void peerbuf_log_attachments(struct peerbuf_buffer *buffer, bool stop)
{
	struct dma_buf_attachment *attach;
	struct peerbuf_attachment *state;
	const char *how;

	dma_resv_lock(buffer->dmabuf->resv, NULL);
	how = buffer->state == PEERBUF_STATE_REVOKED ? "revoked" : "stopped";
	list_for_each_entry(attach, &buffer->dmabuf->attachments, node) {
		state = attach->priv;
		if (!state->maps || (stop && state->named))
			continue;
		log_attachment(buffer, attach, how);
		state->named = stop && !is_revocable(attach);
	}
	if (buffer->dmabuf->vmapping_counter && !(stop && buffer->named)) {
		pci_warn(buffer->provider->pdev,
			 "buffer %llu is %s, the kernel has it mapped for the CPU\n",
			 buffer->id, how);
		buffer->named = stop;
	}
	dma_resv_unlock(buffer->dmabuf->resv);
}
