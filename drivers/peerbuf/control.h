/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PEERBUF_CONTROL_H
#define _PEERBUF_CONTROL_H

int peerbuf_control_init(void);
void peerbuf_control_exit(void);

#endif /* _PEERBUF_CONTROL_H */
