/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PEERBUF_STOP_H
#define _PEERBUF_STOP_H

#include <linux/types.h>

bool peerbuf_stop_is_lossy(unsigned int stops);

#endif /* _PEERBUF_STOP_H */
