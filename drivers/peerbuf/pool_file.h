/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PEERBUF_POOL_FILE_H
#define _PEERBUF_POOL_FILE_H

#include <linux/fs.h>

extern const struct file_operations peerbuf_pool_fops;

#endif /* _PEERBUF_POOL_FILE_H */
