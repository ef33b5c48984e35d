/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PEERBUF_DEPARTURE_H
#define _PEERBUF_DEPARTURE_H

int peerbuf_departure_init(void);
void peerbuf_departure_exit(void);

#endif /* _PEERBUF_DEPARTURE_H */
