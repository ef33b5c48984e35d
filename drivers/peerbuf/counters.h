/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PEERBUF_COUNTERS_H
#define _PEERBUF_COUNTERS_H

#include <linux/atomic.h>
#include <linux/types.h>
#include <uapi/linux/peerbuf.h>

struct attribute_group;
struct peerbuf_window;

/* Reasons are numbered from 1; the last one that a window can refuse for. */
#define PEERBUF_LAST_REASON	PEERBUF_REASON_STOPPED

/**
 * struct peerbuf_counters - what has happened to a window since it was bound
 * @exports: buffers made
 * @maps: mappings that importers made
 * @unmaps: mappings that importers gave back
 * @refused: attaches that were refused
 * @revokes: buffers whose revoke began, for whatever reason
 * @faults: pages that faults put into page tables
 * @lent: bytes that buffers hold now; shared ranges count for each
 * @reasons: @refused, by &enum peerbuf_reason
 *
 * Buffers of one window have no lock in common, so all are atomic.
 */
struct peerbuf_counters {
	atomic64_t exports;
	atomic64_t maps;
	atomic64_t unmaps;
	atomic64_t refused;
	atomic64_t revokes;
	atomic64_t faults;
	atomic64_t lent;
	atomic64_t reasons[PEERBUF_LAST_REASON + 1];
};

extern const struct attribute_group peerbuf_counters_group;
extern const struct attribute_group peerbuf_refused_group;

void peerbuf_count_refused(struct peerbuf_window *window, u32 reason);

#endif /* _PEERBUF_COUNTERS_H */
