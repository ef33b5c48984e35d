/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The soak: drives, ports and a display at work on the same buffers, for a long
 * time, while buffers are revoked and drivers are unbound.
 *
 * Whoever holds a place's lock knows what is in it. A transfer that works makes
 * its destination a copy of its source; after one that was cut short, nothing is
 * known of the destination. What is known has to be there when somebody looks.
 */
#ifndef _SOAK_H
#define _SOAK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "peerbuf_lib.h"

#define NR_BUFFERS	8U
#define NR_REGIONS	16U	/* of a drive */
#define BUFFER_SIZE	((size_t)256 * 1024)

/**
 * enum content - what is in a place
 * @UNKNOWN: nobody knows
 * @ZERO: zeros, as after an allocation
 * @PATTERN: a pattern with a seed
 */
enum content {
	UNKNOWN,
	ZERO,
	PATTERN,
};

/**
 * struct place - BUFFER_SIZE bytes somewhere
 * @lock: held by who works with it; the rest is under it
 * @content: what is there
 * @seed: of a pattern
 * @dmabuf: of a buffer, -1 while it has none
 * @id: of a buffer; only the thread that makes buffers changes it
 */
struct place {
	pthread_mutex_t lock;
	enum content content;
	__u64 seed;
	int dmabuf;
	__u64 id;
};

/**
 * struct soak - all of it
 * @stop: the time is over
 * @provider: whose memory
 * @buffers: in its BAR
 * @regions: of the drive
 * @disturbances: revokes and unbinds so far: a transfer may only fail where this
 *	has changed since it began, or is changing
 * @counts: of what was done, by &enum work
 * @faults: what must not happen: mismatches, errors without a disturbance
 */
struct soak {
	atomic_bool stop;
	struct pb_device provider;
	struct place buffers[NR_BUFFERS];
	struct place regions[NR_REGIONS];
	atomic_ulong disturbances;
	atomic_ulong counts[8];
	atomic_ulong faults;
};

/**
 * enum work - what is counted
 * @DISK_READS: transfers from the drive
 * @DISK_WRITES: transfers to the drive
 * @NET_COPIES: buffers sent from port to port
 * @FRAMES: that were shown
 * @CPU_CHECKS: places that were looked at, and as they should be
 * @CUT_SHORT: transfers that a revoke or unbind ended
 * @REVOKES: buffers taken back
 * @REBINDS: drivers unbound, and bound again
 */
enum work {
	DISK_READS,
	DISK_WRITES,
	NET_COPIES,
	FRAMES,
	CPU_CHECKS,
	CUT_SHORT,
	REVOKES,
	REBINDS,
};

/* soak.c: places */
unsigned int soak_random(unsigned int *seed, unsigned int limit);
struct place *soak_take(struct place *places, unsigned int nr,
			unsigned int *seed);
void soak_give(struct place *place);
void soak_copied(struct place *to, const struct place *from);
void soak_done(struct soak *soak, enum work work);
bool soak_may_fail(struct soak *soak, unsigned long before,
		   unsigned long opened, int error);
void __printf(2, 3) soak_fault(struct soak *soak, const char *format, ...);

/* Threads; each takes a struct soak */
void *soak_cpu(void *arg);
void *soak_disk(void *arg);
void *soak_net(void *arg);
void *soak_display(void *arg);
void *soak_disturb(void *arg);

void soak_make_buffers(struct soak *soak);
void soak_drop_buffers(struct soak *soak);

#endif /* _SOAK_H */
