/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PEERBUF_WATCH_H
#define _PEERBUF_WATCH_H

#include <linux/kref.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <uapi/linux/peerbuf.h>

struct peerbuf_call;
struct peerbuf_provider;

/**
 * struct peerbuf_status - what watches of a buffer are told
 * @ref: held by the buffer and by each watch, so that neither keeps the other
 * @wait: where watches wait; its lock protects @version, @generation and @state
 * @version: how many changes there have been
 * @generation: see &struct peerbuf_event
 * @state: &enum peerbuf_state; never changes once revoked
 * @provider: whose memory it is; constant
 * @id: number of the buffer; constant from the time that it is known to others
 */
struct peerbuf_status {
	struct kref ref;
	wait_queue_head_t wait;
	u64 version;
	u64 generation;
	u32 state;
	struct peerbuf_function provider;
	u64 id;
};

struct peerbuf_status *peerbuf_status_create(struct peerbuf_provider *provider);
void peerbuf_status_put(struct peerbuf_status *status);
void peerbuf_status_set_state(struct peerbuf_status *status, u32 state);
void peerbuf_status_restart(struct peerbuf_status *status, u64 generation);
struct peerbuf_event peerbuf_status_read(struct peerbuf_status *status);

int peerbuf_watch_call(struct peerbuf_call *call);

#endif /* _PEERBUF_WATCH_H */
