/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PEERBUF_REVOKE_H
#define _PEERBUF_REVOKE_H

#include <linux/types.h>

struct peerbuf_buffer;
struct peerbuf_pool;
struct peerbuf_provider;

void peerbuf_revoke_begin(struct peerbuf_buffer *buffer);
int peerbuf_revoke_finish(struct peerbuf_buffer *buffer, bool interruptible,
			  long timeout);
int peerbuf_revoke_pool(struct peerbuf_pool *pool, bool interruptible,
			long timeout);
void peerbuf_revoke_begin_all(struct peerbuf_provider *provider);
void peerbuf_revoke_provider(struct peerbuf_provider *provider);
void peerbuf_revoke_stop(struct peerbuf_provider *provider);
void peerbuf_revoke_start(struct peerbuf_provider *provider);

#endif /* _PEERBUF_REVOKE_H */
