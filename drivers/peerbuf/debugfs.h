/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PEERBUF_DEBUGFS_H
#define _PEERBUF_DEBUGFS_H

struct peerbuf_provider;

void peerbuf_debugfs_add(struct peerbuf_provider *provider);
void peerbuf_debugfs_remove(struct peerbuf_provider *provider);
void peerbuf_debugfs_init(void);
void peerbuf_debugfs_exit(void);

#endif /* _PEERBUF_DEBUGFS_H */
