/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PEERBUF_QUERY_H
#define _PEERBUF_QUERY_H

struct peerbuf_call;

int peerbuf_query_route(struct peerbuf_call *call);
int peerbuf_query_routes(struct peerbuf_call *call);
int peerbuf_query_path(struct peerbuf_call *call);

#endif /* _PEERBUF_QUERY_H */
