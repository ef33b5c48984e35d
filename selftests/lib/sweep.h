/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sweeps: every allocation, and every copy from and to user memory, of an
 * operation fails once, in turn. The operation then says so with an error that
 * is documented, or does without; it leaves nothing behind; and works when it
 * is made again.
 */
#ifndef _PEERBUF_SWEEP_H
#define _PEERBUF_SWEEP_H

#include "peerbuf_lib.h"

#define PB_MAX_ERRORS	4

/* What operations work on; each program has its own. */
struct scene;

/**
 * struct pb_operation - what is swept
 * @name: for messages
 * @prepare: optional; makes what @run needs
 * @run: with the failure; a descriptor, 0 or a negative errno
 * @undo: optional; takes back what a successful @run made, given what it returned
 * @clean: optional; takes back what @prepare made, whether @run worked or not
 * @refused: optional; whether all is as it has to be after a @run that failed
 * @least: failures that a sweep has to find at least
 * @errors: what it may return beside -ENOMEM and -EFAULT
 * @must: it has no way to fail
 * @until_clean: what it left when it failed is there until @clean
 */
struct pb_operation {
	const char *name;
	void (*prepare)(struct scene *scene);
	int (*run)(struct scene *scene);
	void (*undo)(struct scene *scene, int ret);
	void (*clean)(struct scene *scene);
	bool (*refused)(struct scene *scene);
	unsigned int least;
	int errors[PB_MAX_ERRORS];
	bool must;
	bool until_clean;
};

/**
 * struct pb_sweep - what must not change
 * @scene: for the operations
 * @provider: whose state is compared
 * @pool: likewise, or -1
 * @inject: from pb_inject_open()
 * @start: how it was before the first operation
 * @attached: likewise, devices attached to dma-bufs
 */
struct pb_sweep {
	struct scene *scene;
	struct pb_device provider;
	int pool;
	int inject;
	struct pb_state start;
	int attached;
};

void pb_sweep_begin(struct pb_sweep *sweep, struct scene *scene,
		    const struct pb_device *provider, int pool);
bool pb_sweep_all(struct pb_sweep *sweep, const struct pb_operation *operations,
		  size_t nr);
void pb_sweep_end(struct pb_sweep *sweep);

#endif /* _PEERBUF_SWEEP_H */
