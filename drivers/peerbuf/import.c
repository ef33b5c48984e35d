// SPDX-License-Identifier: GPL-2.0-only
/*
 * The importer lifecycle that peerbuf's importers share: attach, map, run jobs,
 * give the mapping back when the exporter asks, detach. It works with the
 * dma-bufs of any exporter.
 *
 * Life of a mapping:
 *
 *   none --map--> valid --invalidate--> stale --unmap--> none
 *
 * peerbuf_import_attach() maps, so that a refusal is seen there. A job runs on
 * a valid mapping only. An invalidate with no job running unmaps at once, else
 * the mapping is stale until its last job ends, and a work item unmaps it: jobs
 * end in hard interrupts, and to unmap takes the dma_resv lock. The next job
 * maps again, which an exporter that only moved the memory grants, and one that
 * revoked it refuses.
 *
 * Every job is a fence in the buffer's reservation object, as
 * %DMA_RESV_USAGE_BOOKKEEP: memory management waits for it, implicit
 * synchronisation does not. A caller that wants to be ordered against the
 * implicit fences of other devices waits for them before it begins, by poll()
 * or DMA_BUF_IOCTL_EXPORT_SYNC_FILE on the dma-buf.
 *
 * Locks: dma_resv of the dma-buf, then &peerbuf_import.lock. Fences are
 * signalled with neither of them held by us.
 *
 * Most jobs end by themselves. One that waits for the outside, such as a receive
 * buffer for a frame, may not: a fence that nobody may ever signal would block
 * memory management for good. Such a job is preemptible: as soon as somebody
 * waits for its fence (&dma_fence_ops.enable_signaling), or the exporter wants
 * the mapping back, the driver is told to end it, as with the preemption fences
 * of GPU drivers.
 */

#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/peerbuf.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "import.h"

MODULE_IMPORT_NS("DMA_BUF");

/**
 * struct peerbuf_import - one attachment of a device to a dma-buf
 */
struct peerbuf_import {
	/** @dmabuf: holds a reference; constant */
	struct dma_buf *dmabuf;
	/** @attach: constant from peerbuf_import_attach() on */
	struct dma_buf_attachment *attach;
	/** @dir: direction of every mapping; constant */
	enum dma_data_direction dir;
	/**
	 * @sgt: the mapping, valid or stale, or NULL. Protected by the dma_resv
	 * lock; a job may read it without, as it does not change under a job.
	 */
	struct sg_table *sgt;
	/** @unmap_work: unmaps after the last job; queued only while a job counts */
	struct work_struct unmap_work;
	/** @idle: woken when @jobs falls to zero */
	wait_queue_head_t idle;
	/** @lock: taken in hard interrupts; nests in the dma_resv lock */
	spinlock_t lock;
	/**
	 * @jobs: running jobs. Grows under dma_resv and @lock, shrinks under
	 * @lock; a job may ask without whether there are any.
	 */
	unsigned int jobs;
	/**
	 * @stale: @sgt is to be unmapped when @jobs is zero. Written under
	 * dma_resv and @lock, read under either, or as a hint.
	 */
	bool stale;
};

/**
 * struct import_job - the fence of one job
 *
 * Lives as long as somebody holds the fence, which may be longer than the
 * import and, once signalled, longer than this module: it is self-contained,
 * and has neither a release() nor a wait() of its own, so that the core takes
 * the ops off when it signals the fence, and frees it. Who calls an op at that
 * moment is in an RCU read section, for which unloading a module waits.
 */
struct import_job {
	/** @fence: must be first, dma_fence_free() frees the whole by its address */
	struct dma_fence fence;
	/** @device: who runs the job; a copy, as the device may go away earlier */
	char device[32];
	/** @import: what it runs on; valid until the fence is signalled */
	struct peerbuf_import *import;
	/** @stop: for preemptible jobs: has the driver end the job; constant */
	void (*stop)(void *data);
	/** @data: for @stop; valid until the fence is signalled */
	void *data;
};

static_assert(offsetof(struct import_job, fence) == 0);

static const char *import_job_driver_name(struct dma_fence *fence)
{
	return "peerbuf";
}

static const char *import_job_timeline_name(struct dma_fence *fence)
{
	return container_of(fence, struct import_job, fence)->device;
}

static const struct dma_fence_ops import_job_ops = {
	.get_driver_name = import_job_driver_name,
	.get_timeline_name = import_job_timeline_name,
};

/* Somebody waits. Under the fence's lock: it cannot be signalled meanwhile. */
static bool import_job_preempt(struct dma_fence *fence)
{
	struct import_job *job = container_of(fence, struct import_job, fence);

	job->stop(job->data);
	return true;
}

static const struct dma_fence_ops import_preemptible_ops = {
	.get_driver_name = import_job_driver_name,
	.get_timeline_name = import_job_timeline_name,
	.enable_signaling = import_job_preempt,
};

/*
 * A context for every job: nothing orders the jobs of an import, and within one
 * context a reservation object forgets the earlier fence for the later one.
 */
static struct dma_fence *import_job_alloc(struct peerbuf_import *import,
					  void (*stop)(void *data), void *data)
{
	struct import_job *job;

	job = kzalloc_obj(*job);
	if (!job)
		return NULL;

	strscpy(job->device, dev_name(import->attach->dev));
	job->import = import;
	job->stop = stop;
	job->data = data;
	dma_fence_init(&job->fence,
		       stop ? &import_preemptible_ops : &import_job_ops, NULL,
		       dma_fence_context_alloc(1), 1);
	return &job->fence;
}

/*
 * Ask the preemptible jobs to end, as one who waits for their fences would: the
 * exporter may be content with the unmap. A signalled fence has no ops.
 */
static void import_preempt_jobs(struct peerbuf_import *import)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;

	dma_resv_for_each_fence(&cursor, import->dmabuf->resv,
				DMA_RESV_USAGE_BOOKKEEP, fence) {
		struct import_job *job =
			container_of(fence, struct import_job, fence);

		if (rcu_access_pointer(fence->ops) == &import_preemptible_ops &&
		    job->import == import)
			dma_fence_enable_signaling(fence);
	}
}

static void import_set_stale(struct peerbuf_import *import, bool stale)
{
	unsigned long flags;

	dma_resv_assert_held(import->dmabuf->resv);

	spin_lock_irqsave(&import->lock, flags);
	WRITE_ONCE(import->stale, stale);
	spin_unlock_irqrestore(&import->lock, flags);
}

/* True while jobs still run on a mapping that no new job may use. */
static bool import_draining(struct peerbuf_import *import)
{
	unsigned long flags;
	bool draining;

	spin_lock_irqsave(&import->lock, flags);
	draining = import->stale && import->jobs;
	spin_unlock_irqrestore(&import->lock, flags);
	return draining;
}

static void import_unmap(struct peerbuf_import *import)
{
	dma_resv_assert_held(import->dmabuf->resv);

	if (!import->sgt)
		return;

	dma_buf_unmap_attachment(import->attach, import->sgt, import->dir);
	import->sgt = NULL;
	import_set_stale(import, false);
}

/* Not every exporter looks at the DMA mask, and a cut off address hits others. */
static bool import_in_dma_mask(struct device *dev, struct sg_table *sgt)
{
	u64 mask = dma_get_mask(dev);
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		u64 first = sg_dma_address(sg);
		u64 last = first + sg_dma_len(sg) - 1;

		if (last < first || last > mask)
			return false;
	}
	return true;
}

static int import_map(struct peerbuf_import *import)
{
	struct device *dev = import->attach->dev;
	struct sg_table *sgt;

	dma_resv_assert_held(import->dmabuf->resv);

	if (import->stale)
		import_unmap(import);
	if (import->sgt)
		return 0;

	sgt = dma_buf_map_attachment(import->attach, import->dir);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);

	if (!import_in_dma_mask(dev, sgt)) {
		dma_buf_unmap_attachment(import->attach, sgt, import->dir);
		dev_err_ratelimited(dev, "exporter %s gave an address beyond this device's DMA mask; not used\n",
				    import->dmabuf->exp_name);
		return -EOPNOTSUPP;
	}

	import->sgt = sgt;
	return 0;
}

static void import_unmap_work(struct work_struct *work)
{
	struct peerbuf_import *import =
		container_of(work, struct peerbuf_import, unmap_work);

	dma_resv_lock(import->dmabuf->resv, NULL);
	if (import->stale && !import_draining(import))
		import_unmap(import);
	dma_resv_unlock(import->dmabuf->resv);
}

static void import_invalidate(struct dma_buf_attachment *attach)
{
	struct peerbuf_import *import = attach->importer_priv;

	dma_resv_assert_held(attach->dmabuf->resv);

	if (!import->sgt)
		return;

	/* From here on, the end of the last job queues the unmap. */
	import_set_stale(import, true);
	if (import_draining(import))
		import_preempt_jobs(import);
	else
		import_unmap(import);
}

static const struct dma_buf_attach_ops import_attach_ops = {
	.allow_peer2peer = true,
	.invalidate_mappings = import_invalidate,
};

/**
 * peerbuf_import_owns - whether an attachment is on the lifecycle of this file
 * @attach: of any dma-buf
 *
 * Context: any.
 *
 * Return: true for one of peerbuf_import_attach().
 */
bool peerbuf_import_owns(const struct dma_buf_attachment *attach)
{
	return attach->importer_ops == &import_attach_ops;
}

static struct peerbuf_import *import_alloc(struct dma_buf *dmabuf,
					   enum dma_data_direction dir)
{
	struct peerbuf_import *import;

	import = kzalloc_obj(*import);
	if (!import)
		return NULL;

	import->dmabuf = dmabuf;
	import->dir = dir;
	INIT_WORK(&import->unmap_work, import_unmap_work);
	init_waitqueue_head(&import->idle);
	spin_lock_init(&import->lock);
	return import;
}

/**
 * peerbuf_import_attach() - attach a device to a dma-buf, and map it
 * @dev: the device that will DMA; its DMA mask is set
 * @fd: file descriptor of a dma-buf of any exporter
 * @dir: direction of the DMA; %DMA_TO_DEVICE only reads the buffer
 *
 * The mapping may be taken away by the exporter at any time; a job maps again
 * if need be. The driver calls peerbuf_import_detach() before it lets go of
 * @dev.
 *
 * Context: Process context, may sleep; takes the dma_resv lock of the dma-buf.
 * Return: the import, or an ERR_PTR: -EBADF or -EINVAL, @fd is not open or not
 * a dma-buf; -EOPNOTSUPP, an address is beyond @dev's DMA mask; -ENOMEM; else
 * what the exporter said when it refused to attach or to map: -EACCES for a
 * read-only buffer of peerbuf and any @dir but %DMA_TO_DEVICE.
 */
struct peerbuf_import *peerbuf_import_attach(struct device *dev, int fd,
					     enum dma_data_direction dir)
{
	struct peerbuf_import *import;
	struct dma_buf *dmabuf;
	int ret;

	dmabuf = dma_buf_get(fd);
	if (IS_ERR(dmabuf))
		return ERR_CAST(dmabuf);

	import = import_alloc(dmabuf, dir);
	if (!import) {
		ret = -ENOMEM;
		goto err_put;
	}

	/* An invalidate may come before this returns; it finds nothing mapped. */
	import->attach = dma_buf_dynamic_attach(dmabuf, dev, &import_attach_ops,
						import);
	if (IS_ERR(import->attach)) {
		ret = PTR_ERR(import->attach);
		goto err_free;
	}

	dma_resv_lock(dmabuf->resv, NULL);
	ret = import_map(import);
	dma_resv_unlock(dmabuf->resv);
	if (ret)
		goto err_detach;

	return import;

err_detach:
	dma_buf_detach(dmabuf, import->attach);
err_free:
	kfree(import);
err_put:
	dma_buf_put(dmabuf);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_NS_GPL(peerbuf_import_attach, "PEERBUF");

/**
 * peerbuf_import_detach() - unmap, detach and free an import
 * @import: not used by anybody else any more, except for the ends of its jobs
 *
 * Waits for the running jobs, for which the driver makes sure that they end:
 * by itself, by a timeout, or because it stops the device.
 *
 * Context: Process context, sleeps; takes the dma_resv lock of the dma-buf.
 */
void peerbuf_import_detach(struct peerbuf_import *import)
{
	struct dma_buf *dmabuf = import->dmabuf;

	/* Under the lock, the end that made it zero is through with @import. */
	spin_lock_irq(&import->lock);
	wait_event_lock_irq(import->idle, !import->jobs, import->lock);
	spin_unlock_irq(&import->lock);

	/* Only the end of a job queues the work, so it stays cancelled. */
	cancel_work_sync(&import->unmap_work);

	dma_resv_lock(dmabuf->resv, NULL);
	import_unmap(import);
	dma_resv_unlock(dmabuf->resv);

	dma_buf_detach(dmabuf, import->attach);
	dma_buf_put(dmabuf);
	kfree(import);
}
EXPORT_SYMBOL_NS_GPL(peerbuf_import_detach, "PEERBUF");

/**
 * peerbuf_import_size() - bytes of the imported dma-buf
 * @import: the import
 *
 * Context: Any.
 * Return: the size, which never changes.
 */
size_t peerbuf_import_size(const struct peerbuf_import *import)
{
	return import->dmabuf->size;
}
EXPORT_SYMBOL_NS_GPL(peerbuf_import_size, "PEERBUF");

static int import_wait_kernel_fences(struct peerbuf_import *import)
{
	long ret;

	ret = dma_resv_wait_timeout(import->dmabuf->resv, DMA_RESV_USAGE_KERNEL,
				    true, MAX_SCHEDULE_TIMEOUT);
	return ret < 0 ? ret : 0;
}

/* attach mapped once, so who refuses now has taken the memory away. */
static int import_refusal(int error)
{
	switch (error) {
	case -EAGAIN:
	case -EINTR:
	case -ENOMEM:
	case -ERESTARTSYS:
		return error;
	default:
		return -ENODEV;
	}
}

/*
 * Take the dma_resv lock, with a valid mapping and no move of the exporter under
 * way. All waits are outside of the lock, so everything is looked at again
 * after each; mapping can make the exporter move the buffer, so its fences are
 * looked at last.
 */
static int import_lock_ready(struct peerbuf_import *import)
{
	struct dma_resv *resv = import->dmabuf->resv;
	bool draining;
	int ret;

	for (;;) {
		ret = dma_resv_lock_interruptible(resv, NULL);
		if (ret)
			return ret;

		draining = import_draining(import);
		if (!draining) {
			ret = import_map(import);
			if (ret) {
				dma_resv_unlock(resv);
				return import_refusal(ret);
			}
			if (dma_resv_test_signaled(resv, DMA_RESV_USAGE_KERNEL))
				return 0;
		}
		dma_resv_unlock(resv);

		if (draining)
			ret = wait_event_interruptible(import->idle,
						       !import_draining(import));
		else
			ret = import_wait_kernel_fences(import);
		if (ret)
			return ret;
	}
}

/* The same, if it is so already. */
static int import_trylock_ready(struct peerbuf_import *import)
{
	struct dma_resv *resv = import->dmabuf->resv;

	if (!dma_resv_trylock(resv))
		return -EAGAIN;
	if (import->sgt && !import->stale &&
	    dma_resv_test_signaled(resv, DMA_RESV_USAGE_KERNEL))
		return 0;

	dma_resv_unlock(resv);
	return -EAGAIN;
}

/* Count @job and make it visible to the exporter. */
static int import_publish(struct peerbuf_import *import, struct dma_fence *job)
{
	struct dma_resv *resv = import->dmabuf->resv;
	int ret;

	ret = dma_resv_reserve_fences(resv, 1);
	if (ret)
		return ret;

	spin_lock_irq(&import->lock);
	WRITE_ONCE(import->jobs, import->jobs + 1);
	spin_unlock_irq(&import->lock);

	dma_resv_add_fence(resv, job, DMA_RESV_USAGE_BOOKKEEP);
	return 0;
}

static struct dma_fence *import_begin(struct peerbuf_import *import, bool wait,
				      void (*stop)(void *data), void *data)
{
	struct dma_fence *job;
	int ret;

	might_sleep();

	job = import_job_alloc(import, stop, data);
	if (!job)
		return ERR_PTR(-ENOMEM);

	ret = wait ? import_lock_ready(import) : import_trylock_ready(import);
	if (ret)
		goto err_put;

	ret = import_publish(import, job);
	dma_resv_unlock(import->dmabuf->resv);
	if (ret)
		goto err_put;

	return job;

err_put:
	dma_fence_put(job);
	return ERR_PTR(ret);
}

/**
 * peerbuf_import_begin() - begin a job: the device may DMA to the dma-buf
 * @import: the import
 *
 * Maps again if the exporter took the mapping away, waits until the exporter is
 * through with moving the memory, and tells it of the job. Until
 * peerbuf_import_end() the mapping stays as it is. Any number of jobs can run on
 * an import.
 *
 * The caller is in a fence signalling section from here until it ends the job:
 * it must not allocate memory other than by GFP_ATOMIC, nor take a dma_resv
 * lock, a lock held around either, or mmap_lock; and it ends the job in bounded
 * time, whatever the device does (see dma_fence_begin_signalling()).
 *
 * Context: Process context, sleeps, a signal ends the sleep; takes the dma_resv
 * lock of the dma-buf.
 * Return: the job, for peerbuf_import_end(), which drops its reference; or an
 * ERR_PTR: -ENODEV, the exporter took the mapping away and refuses a new one;
 * -EINTR or -ERESTARTSYS; -EAGAIN; -ENOMEM.
 */
struct dma_fence *peerbuf_import_begin(struct peerbuf_import *import)
{
	return import_begin(import, true, NULL, NULL);
}
EXPORT_SYMBOL_NS_GPL(peerbuf_import_begin, "PEERBUF");

/**
 * peerbuf_import_begin_preemptible() - begin a job that ends when it is asked to
 * @import: the import
 * @stop: asks for the end of the job
 * @data: for @stop; valid until peerbuf_import_end()
 *
 * As peerbuf_import_begin(), for a job that may run for ever if left alone. @stop
 * is called once at most, when somebody waits for the job's fence or the exporter
 * takes the mapping away; from then on the job ends in bounded time, whatever
 * the device does. It may be called before this function returns, and is not
 * called, nor running, once peerbuf_import_end() has returned.
 *
 * @stop is called with interrupts off and locks held: it notes that the job is
 * to end, and leaves the rest to a work item, on a workqueue with
 * %WQ_MEM_RECLAIM.
 *
 * Context: as peerbuf_import_begin().
 * Return: as peerbuf_import_begin().
 */
struct dma_fence *
peerbuf_import_begin_preemptible(struct peerbuf_import *import,
				 void (*stop)(void *data), void *data)
{
	return import_begin(import, true, stop, data);
}
EXPORT_SYMBOL_NS_GPL(peerbuf_import_begin_preemptible, "PEERBUF");

/**
 * peerbuf_import_try_begin() - begin a job, if there is nobody to wait for
 * @import: the import
 *
 * For callers that can come back from another context, as io_uring's do.
 *
 * Context: Process context, sleeps for memory only; takes the dma_resv lock of
 * the dma-buf.
 * Return: as peerbuf_import_begin(), but -EAGAIN where that would wait or map,
 * and so never -ENODEV nor -EINTR.
 */
struct dma_fence *peerbuf_import_try_begin(struct peerbuf_import *import)
{
	return import_begin(import, false, NULL, NULL);
}
EXPORT_SYMBOL_NS_GPL(peerbuf_import_try_begin, "PEERBUF");

/**
 * peerbuf_import_is_wanted() - has the exporter asked for the mapping?
 * @import: the import
 *
 * It waits for the running jobs then: one of many pieces can ask before each, and
 * end early with -ECANCELED.
 *
 * Context: Any, between the begin and the end of a job.
 * Return: whether it has. A job that runs on is no error, the mapping stays.
 */
bool peerbuf_import_is_wanted(const struct peerbuf_import *import)
{
	return READ_ONCE(import->stale);
}
EXPORT_SYMBOL_NS_GPL(peerbuf_import_is_wanted, "PEERBUF");

/* Count a job less, under the lock. */
static bool import_last_job(struct peerbuf_import *import)
{
	if (WARN_ON_ONCE(!import->jobs))
		return false;

	WRITE_ONCE(import->jobs, import->jobs - 1);
	return !import->jobs;
}

/**
 * peerbuf_import_end() - end a job: the device does not DMA for it any more
 * @import: the import
 * @job: from peerbuf_import_begin(); the reference is dropped
 * @error: 0, or the negative errno with which the job failed
 *
 * Called once for every job, in any order. If the exporter asked for the
 * mapping meanwhile, the end of the last job starts to give it back.
 *
 * Context: Any, hard interrupts included; does not sleep. Runs the callbacks of
 * @job, so with no lock held that these may take.
 */
void peerbuf_import_end(struct peerbuf_import *import, struct dma_fence *job,
			int error)
{
	unsigned long flags;

	if (error)
		dma_fence_set_error(job, error);
	dma_fence_signal(job);
	dma_fence_put(job);

	spin_lock_irqsave(&import->lock, flags);
	if (import_last_job(import)) {
		if (import->stale)
			queue_work(system_dfl_wq, &import->unmap_work);
		wake_up_all(&import->idle);
	}
	spin_unlock_irqrestore(&import->lock, flags);
	/* @import may be gone: peerbuf_import_detach() waits for zero only. */
}
EXPORT_SYMBOL_NS_GPL(peerbuf_import_end, "PEERBUF");

/**
 * peerbuf_import_sgt() - the mapping, as DMA addresses and lengths
 * @import: the import
 *
 * There are no pages behind it: use for_each_sgtable_dma_sg() and nothing else.
 *
 * Context: Any, between peerbuf_import_begin() and peerbuf_import_end().
 * Return: the table; NULL, with a warning, if no job runs.
 */
struct sg_table *peerbuf_import_sgt(struct peerbuf_import *import)
{
	if (WARN_ON_ONCE(!READ_ONCE(import->jobs)))
		return NULL;
	return import->sgt;
}
EXPORT_SYMBOL_NS_GPL(peerbuf_import_sgt, "PEERBUF");

/**
 * peerbuf_import_address() - the DMA address of a byte
 * @import: the import
 * @offset: bytes from the start of the dma-buf
 * @addr: out: DMA address
 * @contiguous: out: bytes from there that follow each other for the device
 *
 * Context: Any, between peerbuf_import_begin() and peerbuf_import_end().
 * Return: 0; -ERANGE, @offset is beyond the dma-buf or what its exporter
 * mapped; -EINVAL, with a warning, if no job runs.
 */
int peerbuf_import_address(struct peerbuf_import *import, u64 offset,
			   dma_addr_t *addr, size_t *contiguous)
{
	struct sg_table *sgt = peerbuf_import_sgt(import);
	size_t size = import->dmabuf->size;
	u64 skip = offset, run = 0;
	struct scatterlist *sg;
	unsigned int i;

	if (!sgt)
		return -EINVAL;
	if (offset >= size)
		return -ERANGE;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		u64 len = sg_dma_len(sg);

		if (run) {
			if (sg_dma_address(sg) != *addr + run)
				break;
			run += len;
		} else if (skip >= len) {
			skip -= len;
		} else {
			*addr = sg_dma_address(sg) + skip;
			run = len - skip;
		}
	}
	if (!run)
		return -ERANGE;

	*contiguous = min_t(u64, run, size - offset);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(peerbuf_import_address, "PEERBUF");
