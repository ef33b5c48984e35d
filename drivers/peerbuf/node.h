/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PEERBUF_NODE_H
#define _PEERBUF_NODE_H

#include <linux/fs.h>

extern const struct file_operations peerbuf_node_fops;

#endif /* _PEERBUF_NODE_H */
