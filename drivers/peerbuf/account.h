/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PEERBUF_ACCOUNT_H
#define _PEERBUF_ACCOUNT_H

#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <linux/uidgid.h>

struct peerbuf_buffer;
struct pid;

/**
 * struct peerbuf_account - who made a buffer, and how its revoke went
 * @pid: the process that exported it, with a reference; constant
 * @uid: its user; constant
 * @comm: name of the thread; constant
 * @created: boot time of the export; constant
 * @revoked: boot time of the revoke's begin, 0 before; protected by the
 *	dma-buf's dma_resv
 * @drained: when the last mapping went, if the revoke met one; likewise
 * @revoke_ns: from @revoked until nobody could reach the memory, 0 before that
 *	was seen; protected by &peerbuf_provider.lock
 */
struct peerbuf_account {
	struct pid *pid;
	kuid_t uid;
	char comm[TASK_COMM_LEN];
	ktime_t created;
	ktime_t revoked;
	ktime_t drained;
	u64 revoke_ns;
};

void peerbuf_account_begin(struct peerbuf_buffer *buffer);
void peerbuf_account_end(struct peerbuf_buffer *buffer);
void peerbuf_account_revoke(struct peerbuf_buffer *buffer);
void peerbuf_account_drained(struct peerbuf_buffer *buffer);
void peerbuf_account_revoked(struct peerbuf_buffer *buffer);

#endif /* _PEERBUF_ACCOUNT_H */
