/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PEERBUF_IMPORT_H
#define _PEERBUF_IMPORT_H

#include <linux/types.h>

struct dma_buf_attachment;

bool peerbuf_import_owns(const struct dma_buf_attachment *attach);

#endif /* _PEERBUF_IMPORT_H */
