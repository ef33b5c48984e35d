/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * peerbuf: PCI device memory as dma-bufs, for peer-to-peer DMA.
 *
 * Kernel to kernel contract: drivers that lend memory (providers), and drivers
 * that DMA to a dma-buf and share one careful lifecycle (importers).
 */
#ifndef _LINUX_PEERBUF_H
#define _LINUX_PEERBUF_H

#include <linux/build_bug.h>
#include <linux/dma-buf.h>
#include <linux/errno.h>
#include <linux/overflow.h>
#include <linux/stddef.h>
#include <linux/types.h>
#include <uapi/linux/peerbuf.h>

struct device;
struct dma_fence;
struct file;
struct peerbuf_import;
struct peerbuf_provider;
struct pci_dev;

/* Providers: drivers/peerbuf/provider.c */

struct peerbuf_provider *peerbuf_provider_alloc(struct pci_dev *pdev);
int peerbuf_provider_add_window(struct peerbuf_provider *provider, int bar,
				u64 offset, u64 length);
int peerbuf_provider_register(struct peerbuf_provider *provider);
void peerbuf_provider_unregister(struct peerbuf_provider *provider);
void peerbuf_provider_put(struct peerbuf_provider *provider);

/* The memory stops answering, for a while or for good: drivers/peerbuf/stop.c */

/**
 * enum peerbuf_stop - why memory does not answer for a while
 * @PEERBUF_STOP_RESET: the function, or a bridge above it, is being reset
 * @PEERBUF_STOP_ERROR: an error was reported (AER), and is being recovered from
 * @PEERBUF_STOP_SUSPEND: the system sleeps
 * @PEERBUF_STOP_LOST: memory decoding is off, a BAR is not where it was, or the
 *	function does not answer: found out by peerbuf itself, not for drivers
 * @PEERBUF_STOP_QUIESCE: the driver does something with the memory that leaves
 *	its contents as they are
 * @PEERBUF_NR_STOPS: how many there are
 */
enum peerbuf_stop {
	PEERBUF_STOP_RESET,
	PEERBUF_STOP_ERROR,
	PEERBUF_STOP_SUSPEND,
	PEERBUF_STOP_LOST,
	PEERBUF_STOP_QUIESCE,
	PEERBUF_NR_STOPS
};

void peerbuf_provider_stop(struct peerbuf_provider *provider,
			   enum peerbuf_stop why);
void peerbuf_provider_start(struct peerbuf_provider *provider,
			    enum peerbuf_stop why);
void peerbuf_provider_fail(struct peerbuf_provider *provider);

/* Importers: drivers/peerbuf/import.c */

struct peerbuf_import *peerbuf_import_attach(struct device *dev, int fd,
					     enum dma_data_direction dir);
void peerbuf_import_detach(struct peerbuf_import *import);
size_t peerbuf_import_size(const struct peerbuf_import *import);

struct dma_fence *peerbuf_import_begin(struct peerbuf_import *import);
struct dma_fence *
peerbuf_import_begin_preemptible(struct peerbuf_import *import,
				 void (*stop)(void *data), void *data);
struct dma_fence *peerbuf_import_try_begin(struct peerbuf_import *import);
bool peerbuf_import_is_wanted(const struct peerbuf_import *import);
void peerbuf_import_end(struct peerbuf_import *import, struct dma_fence *job,
			int error);
struct sg_table *peerbuf_import_sgt(struct peerbuf_import *import);
int peerbuf_import_address(struct peerbuf_import *import, u64 offset,
			   dma_addr_t *addr, size_t *contiguous);

/* Ranges that users name */

/**
 * peerbuf_check_bounds - does a range lie within bounds
 * @start: where it begins
 * @length: how long it is, in the unit of @start
 * @limit: length of what it must lie in, in the same unit
 *
 * Says nothing of alignment; an empty range may begin at @limit.
 *
 * Context: any.
 *
 * Return: 0; -EOVERFLOW if the sum does not fit; -ERANGE if it is beyond @limit.
 */
static inline int peerbuf_check_bounds(u64 start, u64 length, u64 limit)
{
	u64 end;

	if (check_add_overflow(start, length, &end))
		return -EOVERFLOW;
	return end > limit ? -ERANGE : 0;
}

/* Calls of users: drivers/peerbuf/ioctl.c */

/* A call's struct is at most so long; what is larger is pointed to. */
#define PEERBUF_MAX_ARG		128

/**
 * struct peerbuf_call - one call of a user, while it is being answered
 * @file: where it came in
 * @arg: the struct of the command, zero beyond what the user passed; what the
 *	handler leaves in it is copied back
 * @uarg: where the user has it, for a handler that must know that it was told
 *	of its results before it goes on
 * @new_fd: a reserved descriptor that the handler wants filled, or -1
 * @new_file: what goes there; the dispatcher installs or drops it
 */
struct peerbuf_call {
	struct file *file;
	void *arg;
	void __user *uarg;
	int new_fd;
	struct file *new_file;
};

/**
 * struct peerbuf_ioctl - how one command is answered
 * @cmd: the command
 * @min_size: size of the first version of the struct
 * @size: size of the struct that this kernel knows
 * @write: the file must be open for writing
 * @handler: checks flags and reserved fields, then does it
 * @undo: optional; takes back what @handler did, when its results could not be
 *	copied to the user. A new descriptor needs none.
 */
struct peerbuf_ioctl {
	unsigned int cmd;
	u32 min_size;
	u32 size;
	bool write;
	int (*handler)(struct peerbuf_call *call);
	void (*undo)(struct peerbuf_call *call);
};

/* @_last is the last member of the first version of the struct. */
#define PEERBUF_IOCTL_UNDO(_cmd, _struct, _last, _write, _handler, _undo)	\
	{								\
		.cmd = (_cmd),						\
		.min_size = offsetofend(_struct, _last) +		\
			    BUILD_BUG_ON_ZERO(offsetof(_struct, size)),	\
		.size = sizeof(_struct) +				\
			BUILD_BUG_ON_ZERO(sizeof(_struct) >		\
					  PEERBUF_MAX_ARG),		\
		.write = (_write),					\
		.handler = (_handler),					\
		.undo = (_undo),					\
	}
#define PEERBUF_IOCTL(_cmd, _struct, _last, _write, _handler)		\
	PEERBUF_IOCTL_UNDO(_cmd, _struct, _last, _write, _handler, NULL)

long peerbuf_ioctl(struct file *file, unsigned int cmd, unsigned long arg,
		   const struct peerbuf_ioctl *table, size_t nr);

#endif /* _LINUX_PEERBUF_H */
