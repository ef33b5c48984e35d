/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PEERBUF_PRESENCE_H
#define _PEERBUF_PRESENCE_H

#include <linux/types.h>

struct peerbuf_provider;

bool peerbuf_presence_check(struct peerbuf_provider *provider);
bool peerbuf_bar_is_at(u32 low, u32 high, bool is_64bit, u64 address);

void peerbuf_presence_init(struct peerbuf_provider *provider);
void peerbuf_presence_begin(struct peerbuf_provider *provider);
void peerbuf_presence_look(struct peerbuf_provider *provider);
void peerbuf_presence_end(struct peerbuf_provider *provider);

#endif /* _PEERBUF_PRESENCE_H */
