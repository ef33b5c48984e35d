/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PEERBUF_LEND_H
#define _PEERBUF_LEND_H

struct peerbuf_call;
struct peerbuf_pool;
struct peerbuf_provider;
struct peerbuf_source;

int peerbuf_export_call(struct peerbuf_call *call,
			struct peerbuf_source *source);
int peerbuf_revoke_call(struct peerbuf_call *call,
			struct peerbuf_provider *provider,
			const struct peerbuf_pool *pool);
int peerbuf_pool_revoke_call(struct peerbuf_call *call,
			     struct peerbuf_provider *provider);

#endif /* _PEERBUF_LEND_H */
