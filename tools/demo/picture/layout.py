# SPDX-License-Identifier: MIT
"""How the picture lies on the disk and in the buffers.

Line after line, PITCH apart, each as it goes over the wire: HEADER bytes of
Ethernet header with what aligns the pixels, and the pixels, XRGB8888. PITCH is
what a receive slot of the NIC takes. tools/demo/journey/layout.h says the same.
"""

WIDTH = 1280
HEIGHT = 800
PIXELS = WIDTH * HEIGHT
HEADER = 16
FRAME = HEADER + 4 * WIDTH
PITCH = 6144
LENGTH = PITCH * HEIGHT
