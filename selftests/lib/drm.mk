# SPDX-License-Identifier: GPL-2.0-only
#
# libdrm, for card.c and whatever is linked with it. Nothing but tests and the
# demo needs it.

drm_cflags := $(shell pkg-config --cflags libdrm)
drm_libs := $(shell pkg-config --static --libs libdrm)
