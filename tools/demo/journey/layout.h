/* SPDX-License-Identifier: MIT */
/*
 * The picture on the disk and in both buffers: lines that are PITCH apart, each
 * as it goes over the wire. tools/demo/picture/layout.py says the same.
 */
#ifndef DEMO_LAYOUT_H
#define DEMO_LAYOUT_H

#define WIDTH	1280U
#define HEIGHT	800U
#define HEADER	16U			/* Ethernet header, number of the line */
#define FRAME	(HEADER + 4 * WIDTH)	/* bytes of a line */
#define PITCH	6144U			/* what a receive slot takes */
#define LENGTH	(PITCH * HEIGHT)	/* whole pages, and blocks of the disk */

/* of a buffer: QEMU wants a whole PITCH from the last line's pixels on */
#define ROOM	(LENGTH + 4096U)

#endif /* DEMO_LAYOUT_H */
